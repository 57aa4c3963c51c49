/** A lane of a benchmark: one contender in one mode, in a process of its own, and what a round of it measured. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { buildLanes } from "./built-lanes.ts";
import type { Mode } from "./contenders/contender.ts";

/** What the child is told once, as its one argument. */
export interface LaneSpec {
  readonly kind: "decode" | "read";
  /** File in contenders/, without its ending. */
  readonly contender: string;
  readonly mode: Mode;
  /** `read`: the relay, and where to begin. */
  readonly url?: string;
  readonly cursor?: number;
}

export interface Round {
  readonly frames: number;
  readonly records: number;
  readonly seconds: number;
  /** All threads of the process, collector included. */
  readonly cpuSeconds: number;
  readonly rssMb: number;
}

export interface Lane extends AsyncDisposable {
  readonly name: string;
  readonly mode: Mode;
  run(seconds: number): Promise<Round>;
}

/** As the program runs its own processes: V8 else keeps up to 100 MB for young objects, whatever lives. The same for all. */
const NODE_FLAGS = ["--no-warnings", "--max-semi-space-size=4"];
const CHILD = fileURLToPath(new URL("./lane-child.ts", import.meta.url));
let built: Promise<string> | null = null;

/** Resolves once the contender is loaded. */
export async function openLane(spec: LaneSpec): Promise<Lane> {
  // Decoders need the frames, which the sources alone find.
  const script = spec.kind === "read" ? await (built ??= buildLanes()) : CHILD;
  const child = fork(script, [JSON.stringify(spec)], { execArgv: NODE_FLAGS });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the process of ${spec.contender} ended with ${String(code)}`);
  });
  // A lane that is closed ends while nobody waits for an answer.
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
