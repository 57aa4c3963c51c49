/**
 * A relay in a process of its own that never runs out: the recording over and over with rising sequence numbers, as fast
 * as the socket takes it. Frames are framed once; only their numbers are written anew, so that the reader is what is measured.
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
