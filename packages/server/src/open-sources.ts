/** The sources that the local server knows: one line for each kind of source that a run may name. */
import { relayKit, type RelayKitOptions } from "@firehose-backfill/firehose/kit";
import type { Sources } from "@firehose-backfill/source/kit";

export type SourceOptions = Pick<RelayKitOptions, "clock" | "random" | "userAgent" | "sampleRelayUrl" | "resolveKey">;

export function openSources(options: SourceOptions): Sources {
  return { relay: relayKit(options) };
}
