/**
 * Moves a pace out of a run item into its own item. A new run is written with its pace inside, because one write cannot create
 * two items; older programs always kept it there. There are three writes, and each of them may be repeated:
 *
 * 1. The run item names its pace and gets this version, so that an older program cannot change it any more.
 * 2. The pace item is created from it, with a version above the one that was there.
 * 3. The pace is removed from the run item.
 *
 * If a process crashes after any of them, the run is still read correctly (run-with-pace.ts), and the next write to the pace
 * continues here. The pace is read before the run item. While the run item contains its pace, no later run has begun. If one
 * has begun, step 2 fails.
 */
import { isFinished } from "@firehose-backfill/core/run-state";
import { splitSources } from "../run-values.ts";
import { absent, equals, exists } from "../table/conditions.ts";
import type { Attributes } from "../table/table.ts";
import { readNumber, readTextOrNull } from "./attributes.ts";
import { untilDone } from "./attempts.ts";
import { paceKey, runKey } from "./keys.ts";
import { paceAttributes, readPace } from "./pace-item.ts";
import { readRunItem } from "./run-item.ts";
import { type Deps, updateRunItem } from "./run-updates.ts";
import { holdsPace, isBegunFor } from "./run-with-pace.ts";

/** Must be called before each write to a pace. */
export async function bringOut(deps: Deps, paceId: string): Promise<void> {
  const runId = deps.known.inRunItem.get(paceId);
  if (runId === undefined) return;
  await carryOver(deps, runId);
  deps.known.inRunItem.delete(paceId);
}

export async function carryOver({ table }: Deps, runId: string): Promise<void> {
  await untilDone("carry over the pace", async () => {
    const named = await table.get(runKey(runId));
    if (named === null || !holdsPace(named)) return "done";
    const { paceId } = readRunItem(named);
    if (readTextOrNull(named, "paceId") === null) {
      await updateRunItem(table, runId, { fields: { paceId } }, absent("paceId"));
      return "again";
    }
    const there = await table.get(paceKey(paceId));
    const item = await table.get(runKey(runId));
    if (item === null || !holdsPace(item)) return "done";
    const pace = readPace(item, paceId);
    const { ofScope, ofPace } = splitSources(pace.sources);
    let paceVersion = there === null ? pace.paceVersion : readNumber(there, "paceEpoch");
    const isLeft = there !== null && (isBegunFor(there, runId) || isFinished(readRunItem(item).status));
    if (!isLeft) {
      const unmoved = there === null ? absent("pk") : equals("paceEpoch", paceVersion);
      paceVersion = there === null ? paceVersion : Math.max(pace.paceVersion, paceVersion + 1);
      const set = { ...paceAttributes({ ...pace, sources: ofPace, paceVersion }), begunFor: runId };
      if ((await table.update(paceKey(paceId), { set }, unmoved)) === null) return "again";
    }
    await updateRunItem(
      table,
      runId,
      { set: { ...NO_MARKS, ...without(paceAttributes(pace)), paceSince: paceVersion }, fields: { sources: ofScope } },
      exists("plannedDueMs"),
    );
    return "done";
  });
}

/** Removes the marks that older programs stored in the run item with their writes to the pace. */
const NO_MARKS: Attributes = { tuneMark: null, reserveMark: null };

function without({ sources: _stays, ...attributes }: Attributes): Attributes {
  return Object.fromEntries(Object.keys(attributes).map((name) => [name, null]));
}
