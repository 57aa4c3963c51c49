/**
 * The second half of a new generation of a run: its pace begins a new version now, so that slots of the old generation become
 * invalid. The run item is written first and notes which version has to end (`renewsPace`). A crash in between
 * leaves the note, and the next reader that takes the lease continues here. Until then the old slots stay reserved,
 * which is slower and never faster.
 */
import { wholeMs } from "../run-values.ts";
import { all, equals, exists } from "../table/conditions.ts";
import type { Item } from "../table/table.ts";
import { readNumberOrNull } from "./attributes.ts";
import { bringOut } from "./carry-over.ts";
import { paceKey } from "./keys.ts";
import { paceAttributes } from "./pace-item.ts";
import { readRunItem } from "./run-item.ts";
import { type Deps, updateRunItem } from "./run-updates.ts";

export async function renewPace(deps: Deps, item: Item, nowMs: number): Promise<void> {
  const { table } = deps;
  const version = readNumberOrNull(item, "renewsPace");
  if (version === null) return;
  const { runId, paceId } = readRunItem(item);
  await bringOut(deps, paceId);
  const key = paceKey(paceId);
  const set = paceAttributes({ paceVersion: version + 1, plannedDueMs: wholeMs(nowMs), waiting: null });
  const renewed = await table.update(key, { set }, all(exists("pk"), equals("paceEpoch", version)));
  // Another writer has begun a new version since, or the SDK retried our write. In both cases the pace has been renewed.
  if (renewed === null) await table.update(key, { set: paceAttributes({ waiting: null }) }, exists("pk"));
  await updateRunItem(table, runId, { set: { renewsPace: null } }, equals("renewsPace", version));
}
