/**
 * How a deploy changes an open run. The reader checks it in each tick. Throttle settings with new deployed values are
 * applied and recorded like a tune; values above the limits of the deployment are clamped. If the scope differs, the run
 * reports it and continues with its own. A local process does the same when it restarts, but refuses to start if the scope
 * differs; on AWS nobody would read the reason.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { definitionOf, settingName } from "@firehose-backfill/core/config/definitions";
import type { Config } from "@firehose-backfill/core/config/settings";
import { clamp } from "./clamp.ts";
import type { ReaderDeps } from "./deps.ts";
import { followGiven, givenSettings, isSameGiven } from "./given-settings.ts";
import { scopeConflicts, throttleChanges } from "./new-run.ts";
import { ownThrottle, withOwn } from "./off-peak.ts";

type Deps = Pick<ReaderDeps, "store" | "clock" | "log" | "limits">;

/** The run after it. Tried again at the next tick where somebody else has changed its pace meanwhile. */
export async function followSettings(
  deps: Deps,
  run: Run,
  config: Config,
  /** Of several that were begun, the scopes differ from each other anyway. */
  { isOnly }: { readonly isOnly: boolean } = { isOnly: true },
): Promise<Run> {
  // A paused or errored run follows once it goes on.
  if (run.status !== "enqueued" && run.status !== "running" && run.status !== "pausing") return run;
  const given = givenSettings(config);
  const isNews = !isSameGiven(run.seen, given);
  const tuned = await tuneTo(deps, run, given);
  if (tuned === "changed meanwhile") return (await deps.store.getRun(run.runId)) ?? run;
  if (isOnly && isNews && run.seen?.scopeHash !== given.scopeHash) await sayScope(deps, run, config);
  if (tuned !== null || !isNews) return tuned ?? run;
  await deps.store.noteSeen(run.paceId, given);
  return { ...run, seen: given };
}

/** null: its throttle does not change. */
async function tuneTo(
  { store, clock, log, limits }: Deps,
  run: Run,
  given: ReturnType<typeof givenSettings>,
): Promise<Run | "changed meanwhile" | null> {
  const own = ownThrottle(run);
  const sources = { ...run.sources, ...run.offPeak?.ownSources };
  const wanted = followGiven({ ...own, sources, seen: run.seen }, given) ?? own;
  const bounded = { ...wanted, throttle: clamp(limits, wanted.throttle).throttle };
  const ofOwn = throttleChanges(own.throttle, bounded.throttle);
  const isGivenNow = (key: string) => Object.keys(given.throttle).includes(key);
  const changedSources = Object.fromEntries(
    Object.keys(ofOwn).flatMap((key) => (isGivenNow(key) ? [[key, "environment" as const]] : [])),
  );
  const isNewProfile = bounded.profile !== own.profile;
  const turned = withOwn(run, bounded, {
    ...changedSources,
    ...(isNewProfile ? { profile: "environment" as const } : {}),
  });
  // The off-peak pace in force must be within the deployment's limits, too.
  const throttle = clamp(limits, turned.throttle).throttle;
  const changes = { ...ofOwn, ...throttleChanges(run.throttle, throttle) };
  if (Object.keys(changes).length === 0 && !isNewProfile) return null;
  const nowMs = clock.now();
  const after = await store.tune(run.runId, {
    ...turned,
    throttle,
    seen: given,
    record: { atMs: nowMs, by: "deploy", changes },
    nowMs,
    paceVersion: run.paceVersion,
  });
  if (after === null) return "changed meanwhile";
  const said = Object.entries(changes).map(([key, { from, to }]) => `${settingName(key)} ${from} -> ${to}`);
  log(`[BACKFILL] Run ${run.runId} follows the deployment: ${said.join(", ") || `profile ${bounded.profile}`}`);
  return after;
}

async function sayScope({ store, clock, log }: Deps, run: Run, config: Config): Promise<void> {
  const scope = await store.getScope(run.runId);
  const conflicts = scope === null ? [] : scopeConflicts(scope, config);
  if (conflicts.length === 0) return;
  const said = conflicts.map(({ key, ofRun, given }) => `${definitionOf(key).name} is ${given}, the run has ${ofRun}`);
  const message = `The deployment says otherwise than this run, which goes on with its own: ${said.join("; ")}. To have it so, begin anew with "start --new", which cancels this run`;
  await store.addError(run.runId, { atMs: clock.now(), source: "reader", message, kind: "settings" });
  log(`[BACKFILL] ${message}`);
}
