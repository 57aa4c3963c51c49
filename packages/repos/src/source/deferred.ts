/**
 * Repositories that wait for their host, in the table, the next one first. An item is not removed when it is taken up, because a run may go back to where it
 * was not: how far they are taken up is part of the state, and what lies before the state of the applied cursor is removed.
 */
import type { SourceItems } from "@firehose-backfill/source/items";
import { readRepo, type RepoInWork, type ReposState, writeRepo } from "./state.ts";

/** More do not wait: the list of repositories waits instead. */
export const MAX_DEFERRED = 10_000;

const PREFIX = "wait#";
/** Sorts behind all of them. */
const END = "wait#~";
const TIME_DIGITS = 15;
const SERIAL_DIGITS = 12;
const PAGE = 100;
const KEPT_MS = 90 * 86_400_000;

export interface Waiting {
  readonly name: string;
  readonly dueMs: number;
  readonly repo: RepoInWork;
}

/** Puts it off; returns the state without it among those in work. */
export async function defer(
  items: SourceItems,
  group: string,
  state: ReposState,
  { repo, dueMs }: { readonly repo: RepoInWork; readonly dueMs: number },
): Promise<ReposState> {
  const serial = state.serial + 1;
  // Behind everything that is taken up, whatever the clock says.
  const name = nameOf(Math.max(Math.ceil(dueMs), dueOf(state.takenUp) + 1), serial);
  await items.put({ group, name }, JSON.stringify(writeRepo(repo)), KEPT_MS);
  const inWork = state.inWork.filter(({ did }) => did !== repo.did);
  return { ...state, serial, inWork, deferred: state.deferred + 1 };
}

/** The next one; null: none waits. */
export async function nextWaiting(items: SourceItems, group: string, state: ReposState): Promise<Waiting | null> {
  const from = state.takenUp === "" ? PREFIX : `${state.takenUp}!`;
  const [item] = await items.list(group, { from, to: END, limit: 1 });
  if (item === undefined) return null;
  return { name: item.name, dueMs: dueOf(item.name), repo: readRepo(JSON.parse(item.text), item.text) };
}

/** Of a process that has died, or of a part of the run that is read again: the state has those repositories itself. */
export async function removeOrphans(items: SourceItems, group: string, state: ReposState): Promise<void> {
  let from = state.takenUp === "" ? PREFIX : `${state.takenUp}!`;
  for (;;) {
    const page = await items.list(group, { from, to: END, limit: PAGE });
    const orphans = page.filter(({ name }) => serialOf(name) > state.serial);
    await Promise.all(orphans.map(({ name }) => items.remove({ group, name })));
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    from = `${last.name}!`;
  }
}

/** What was taken up before that. */
export async function removeTakenUp(items: SourceItems, group: string, takenUp: string): Promise<void> {
  if (takenUp === "") return;
  const page = await items.list(group, { from: PREFIX, to: takenUp, limit: PAGE });
  await Promise.all(page.map(({ name }) => items.remove({ group, name })));
}

function nameOf(dueMs: number, serial: number): string {
  return `${PREFIX}${String(dueMs).padStart(TIME_DIGITS, "0")}#${String(serial).padStart(SERIAL_DIGITS, "0")}`;
}

function dueOf(name: string): number {
  return Number(name.slice(PREFIX.length, PREFIX.length + TIME_DIGITS));
}

function serialOf(name: string): number {
  return Number(name.slice(-SERIAL_DIGITS));
}
