/** The sources that the local server knows: one line for each kind of source that a run may name. */
import { relayKit, type RelayKitOptions } from "@firehose-backfill/firehose/kit";
import type { RelayOptions } from "@firehose-backfill/firehose/surveyor";
import { invertCommit } from "@firehose-backfill/repos/invert-commit";
import type { Sources } from "@firehose-backfill/source/kit";

export function openSources(options: RelayOptions & Pick<RelayKitOptions, "resolveKey">): Sources {
  return { relay: relayKit({ ...options, invertCommit }) };
}
