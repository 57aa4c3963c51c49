/** Runs a naive pipeline in a process of its own, which ends when it has applied everything from the relay. */
import { fork } from "node:child_process";
import { once } from "node:events";
import type { ReplayRelay } from "@firehose-backfill/embedded/relay-replay";

export interface NaiveFigures {
  readonly name: string;
  readonly events: number;
  /** From its first connection on. */
  readonly seconds: number;
  /** Of the whole process, its start included. */
  readonly cpuSeconds: number;
}

export async function runNaive(contender: string, relay: ReplayRelay, databaseUrl: string): Promise<NaiveFigures> {
  const spec = { contender, url: relay.url, databaseUrl, headSeq: relay.log.headSeq };
  const child = fork(new URL("./naive-child.ts", import.meta.url), [JSON.stringify(spec)], {
    execArgv: ["--no-warnings"],
  });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`${contender} ended with ${String(code)}`);
  });
  const [message]: unknown[] = await Promise.race([once(child, "message"), ended]);
  child.kill();
  await ended.catch(() => undefined);
  return message as NaiveFigures;
}
