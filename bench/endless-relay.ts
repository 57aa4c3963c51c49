/**
 * A relay in its own process that never ends: it repeats the recording with rising sequence numbers, as fast as the socket
 * accepts it. Frames are encoded once and only their numbers change, so that the benchmark measures the reader.
 */
import { fork } from "node:child_process";
import { once } from "node:events";

export interface EndlessRelay extends AsyncDisposable {
  readonly url: string;
  /** A cursor to begin with. */
  readonly cursor: number;
}

export async function startEndlessRelay(): Promise<EndlessRelay> {
  const child = fork(new URL("./endless-relay-child.ts", import.meta.url), { execArgv: ["--no-warnings"] });
  const [ready] = (await once(child, "message")) as [{ readonly url: string; readonly cursor: number }];
  return {
    ...ready,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const gone = once(child, "exit");
      child.kill();
      await gone;
    },
  };
}
