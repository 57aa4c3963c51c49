/** A lane of a benchmark: one contender in one mode in its own process, and the result of each round. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { buildLanes } from "./built-lanes.ts";
import type { Mode } from "./contenders/contender.ts";

/** Passed to the child as its one argument. */
export interface LaneSpec {
  readonly kind: "decode" | "read";
  /** A file in contenders/, without its extension. */
  readonly contender: string;
  readonly mode: Mode;
  /** For `read`: the relay, and where to begin. */
  readonly url?: string;
  readonly cursor?: number;
}

export interface Round {
  readonly frames: number;
  readonly records: number;
  readonly seconds: number;
  /** All threads of the process, garbage collector included. */
  readonly cpuSeconds: number;
  readonly rssMb: number;
}

export interface Lane extends AsyncDisposable {
  readonly name: string;
  readonly mode: Mode;
  run(seconds: number): Promise<Round>;
}

/** The program's own flags: without them, V8 uses up to 100 MB for young objects. The same for all contenders. */
const NODE_FLAGS = ["--no-warnings", "--max-semi-space-size=4"];
const CHILD = fileURLToPath(new URL("./lane-child.ts", import.meta.url));
let built: Promise<string> | null = null;

/** Resolves once the contender is loaded. */
export async function openLane(spec: LaneSpec): Promise<Lane> {
  // Decoders need the recorded frames, which only the sources can find.
  const script = spec.kind === "read" ? await (built ??= buildLanes()) : CHILD;
  const child = fork(script, [JSON.stringify(spec)], { execArgv: NODE_FLAGS });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the process of ${spec.contender} ended with ${String(code)}`);
  });
  // A closed lane ends while nobody waits for an answer.
  ended.catch(() => {});
  const answer = async (): Promise<unknown> => {
    const [message]: unknown[] = await Promise.race([once(child, "message"), ended]);
    return message;
  };
  const ready = (await answer()) as { readonly name: string };
  return {
    name: ready.name,
    mode: spec.mode,
    run: async (seconds) => {
      child.send(seconds);
      return (await answer()) as Round;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const gone = once(child, "exit");
      child.kill();
      await gone;
    },
  };
}
