/** Sends requests for resyncs to the process, the function or the data folder that the command is about: as many events as it takes. */
import { MOST_RESYNCS_AT_ONCE } from "@firehose-backfill/backfill/control-event";
import type { Args } from "./command.ts";
import type { CliContext } from "./context.ts";
import { ask } from "./steer-here.ts";

export interface WantedResyncs {
  readonly dids: readonly string[];
  /** undefined: those of the last run. */
  readonly collections: readonly string[] | undefined;
  readonly reason: "audit" | "operator";
}

/** One answer for each event. @throws CommandError, UsageError, ConfigError */
export async function requestResyncs(
  context: CliContext,
  args: Args,
  { dids, collections, reason }: WantedResyncs,
): Promise<readonly string[]> {
  const messages: string[] = [];
  for (let from = 0; from < dids.length; from += MOST_RESYNCS_AT_ONCE) {
    const some = dids.slice(from, from + MOST_RESYNCS_AT_ONCE);
    const of = collections === undefined ? {} : { collections };
    messages.push((await ask(context, args, { action: "resync", dids: some, reason, ...of })).message);
  }
  return messages;
}
