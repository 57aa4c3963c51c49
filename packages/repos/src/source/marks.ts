/**
 * The state as it was at each cursor that is not applied yet: where batches were lost, the run goes back to the applied cursor, and the repositories go back
 * with it.
 */
import type { Cursor } from "@firehose-backfill/source/cursor";
import type { SourceItems } from "@firehose-backfill/source/items";
import { readState, type ReposState, writeState } from "./state.ts";

const PREFIX = "mark#";
const DIGITS = 15;
const PAGE = 100;
const KEPT_MS = 90 * 86_400_000;

export async function putMark(items: SourceItems, group: string, ordinal: number, state: ReposState): Promise<void> {
  await items.put({ group, name: nameOf(ordinal) }, writeState(state), KEPT_MS);
}

/** null: there is none; the repositories are read from the beginning, which changes nothing that is right. */
export async function getMark(items: SourceItems, group: string, ordinal: number): Promise<ReposState | null> {
  const text = await items.get({ group, name: nameOf(ordinal) });
  return text === null ? null : readState(text);
}

/** Removes those below the applied cursor; returns the state there, where it is known. */
export async function removeMarks(items: SourceItems, group: string, applied: Cursor): Promise<ReposState | null> {
  const page = await items.list(group, { from: PREFIX, to: nameOf(applied.ordinal), limit: PAGE });
  const kept = page.at(-1);
  await Promise.all(page.slice(0, -1).map(({ name }) => items.remove({ group, name })));
  return kept === undefined || kept.name !== nameOf(applied.ordinal) ? null : readState(kept.text);
}

function nameOf(ordinal: number): string {
  return `${PREFIX}${String(ordinal).padStart(DIGITS, "0")}`;
}
