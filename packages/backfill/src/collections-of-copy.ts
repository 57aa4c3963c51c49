/**
 * Which collections the copy has, for an audit that nobody has asked for by hand: those of the last run that people have begun. A start may name
 * collections of its own, and an audit of all would then find that nearly every repository differs.
 */
import { isResyncRun } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";

const PAST_RUNS = 20;

/** `fallback`: of the deployment, where no such run is known. Empty: all. */
export async function collectionsOfCopy(
  store: Pick<RunStore, "pastRuns" | "getScope">,
  fallback: readonly string[],
): Promise<readonly string[]> {
  const past = await store.pastRuns({ limit: PAST_RUNS });
  const last = past.find((run) => run.status === "succeeded" && run.source.kind !== "handles" && !isResyncRun(run));
  const scope = last === undefined ? null : await store.getScope(last.runId);
  return scope?.collections ?? fallback;
}
