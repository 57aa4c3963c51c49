/** The first lines of a process: its pace, the runs that it works on, and where its page is. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Config } from "@firehose-backfill/core/config/settings";
import { throttlingConfigLines } from "@firehose-backfill/core/log-lines";
import type { Begun } from "./begin-run.ts";

export function announce(what: {
  readonly config: Config;
  readonly begun: Begun;
  readonly url: string;
  readonly isSample: boolean;
  readonly log: (line: string) => void;
}): void {
  const { config, begun, log } = what;
  const { run } = begun;
  for (const line of throttlingConfigLines(run?.throttle ?? config.settings)) log(line);
  const why = config.sources.relayUrl === "default" ? "No RELAY_URL" : "RELAY_URL is sample";
  if (what.isSample) log(`[BACKFILL] ${why}: replaying the bundled sample relay`);
  if (begun.kind === "none") log(`[BACKFILL] ${begun.because.slice(0, 1).toUpperCase()}${begun.because.slice(1)}`);
  else {
    const say = (its: Run, how: string) => {
      const name = its.name === null ? "" : ` (${its.name})`;
      log(`[BACKFILL] Run ${its.runId}${name} on ${its.source.host}: ${how}`);
    };
    say(begun.run, begun.kind === "new" ? "new" : `goes on, ${begun.run.status}`);
    for (const other of begun.beside) say(other, `goes on beside it, ${other.status}`);
  }
  log(`[BACKFILL] Status page: ${what.url}`);
}
