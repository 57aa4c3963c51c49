/** Where `start --since-last` begins: after the last event that the last run applied. Used for nightly runs. */
import type { StartRequest } from "@firehose-backfill/backfill/control-event";
import { SAMPLE_HOST } from "@firehose-backfill/core/config/host-key";
import { UsageError } from "@firehose-backfill/core/errors";
import type { Snapshot } from "@firehose-backfill/status/snapshot";

export type SinceLast =
  /** `from` is where to begin; null: there has been no run yet, so the settings decide. */
  | { readonly kind: "begin"; readonly from: string | null; readonly note: string }
  /** Nothing comes after the last run. */
  | { readonly kind: "nothing"; readonly note: string }
  /** The last run is not finished, so it continues. */
  | { readonly kind: "go-on"; readonly note: string };

/** `host`: the host of the new run; null: the target knows it. @throws UsageError */
export function sinceLast(last: Snapshot | null, request: StartRequest, host: string | null): SinceLast {
  if (request.days !== undefined || request.from !== undefined)
    throw new UsageError("start: --since-last says where to begin: leave out --days and --from");
  if (last === null || last.runId === null)
    return { kind: "begin", from: null, note: "there is no last run, so this one begins where the settings say" };
  const { runId, status, cursor } = last;
  if (status !== "succeeded" && status !== "cancelled")
    return { kind: "go-on", note: `run ${runId} is not finished (${status}) and continues` };
  if (host !== null && last.host !== host)
    throw new UsageError(
      `start: run ${runId} read ${last.host ?? "another host"}, and this one would read ${host}. Sequence numbers are valid on one host only: give --from a time`,
    );
  if (last.host === SAMPLE_HOST && status === "succeeded")
    return {
      kind: "nothing",
      note: `run ${runId} has applied the bundled sample to its end, and nothing comes after it. To replay it: firehose-backfill start`,
    };
  const at = status === "succeeded" ? (cursor.target ?? cursor.applied) : cursor.applied;
  if (at === null)
    return {
      kind: "begin",
      from: null,
      note: `run ${runId} applied nothing, so this one begins where the settings say`,
    };
  return { kind: "begin", from: String(at.seq), note: `after run ${runId}, which applied all events up to ${at.time}` };
}
