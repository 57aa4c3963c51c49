/**
 * Moving a pace out of a run item into an item of its own. A run is written with its pace inside, because one write cannot
 * begin both, and programs of before kept it there. Three writes, each of which may be repeated:
 *
 * 1. the run item names its pace, and is of this version: a program of before changes nothing in it any more;
 * 2. the pace item is begun from it, at a version above the one that stood there;
 * 3. the pace leaves the run item.
 *
 * A crash after any of them leaves a run that is read right (run-with-pace.ts), and the next write to the pace goes on here.
 * The pace is read before the run item: while the run item holds its pace no later run has begun, so step 2 fails where one has.
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

/** Before each write to a pace. */
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

/** Of writes to the pace, by a program of before. */
const NO_MARKS: Attributes = { tuneMark: null, reserveMark: null };

function without({ sources: _stays, ...attributes }: Attributes): Attributes {
  return Object.fromEntries(Object.keys(attributes).map((name) => [name, null]));
}
