/**
 * Where things are in the table. `pk` and `sk` are strings; the first word of `pk` says what the item is about, so that
 * a policy can grant by key prefix (`dynamodb:LeadingKeys`): consumers need no write access to `windows#*`.
 *
 * | pk           | sk                           | holds                                                      |
 * |--------------|------------------------------|------------------------------------------------------------|
 * | `runs`       | `open`                       | the open runs: their ids, names and what they are about    |
 * | `runs`       | `past#NEWEST-FIRST#ID`, `past-resync#…` | a run that is finished; one that served resyncs |
 * | `pointer`    | `pointer`                    | of a program of before, which knew one run                 |
 * | `run#ID`     | `run`                        | the run item                                               |
 * | `pace#ID`    | `pace`                       | the pace of one database, which runs name                  |
 * | `run#ID`     | `scope#CHUNK`                | the run's filters, gzipped, in chunks                      |
 * | `windows#ID` | `sweep`                      | how far the sweep has come                                 |
 * | `windows#ID` | `window#GENERATION#NUMBER`   | a window, from before its cursor move until it is swept    |
 * | `ledger#ID`  | `GENERATION#WINDOW#FENCE#NUMBER` | what became of a batch; window 0: of redriven dead events  |
 * | `notes#ID`   | `error#SLOT`, `gap#SLOT`, `action#SLOT`, `consumer#ID`, `history#`, `notice#` | the last errors, the gaps, who did what, what consumers say of themselves, the run's course, what somebody was told |
 * | `notes#PACE` | `audit#`, `audit-work#`     | the last audit of a database, how far a scheduled one has come |
 * | `resync#PACE` | `#count`, a DID, a DID and a digest | how many requests there are; a repository that has to be read anew; some collections of one |
 *
 * Each item has its layout's version in `v` (../table/versioned-table.ts). Numbers in keys have a fixed width, so that their order is the order of the numbers.
 */
import { createHash } from "node:crypto";
import type { BatchKey } from "@firehose-backfill/core/batch";
import { BrokenStateError } from "../errors.ts";
import type { Key } from "../table/table.ts";

const GENERATION_DIGITS = 6;
const WINDOW_DIGITS = 10;
const FENCE_DIGITS = 10;
const BATCH_DIGITS = 7;
const MOMENT_DIGITS = 15;
const DIGEST_CHARS = 16;
export const PAST = "past#";
/** Apart from the others: there may be many, and they must not push those of people out of the list. */
export const PAST_RESYNC = "past-resync#";
/** Sorts after every character that a key may contain. */
export const LAST = "~";

export const OPEN_KEY: Key = { pk: "runs", sk: "open" };
export const POINTER_KEY: Key = { pk: "pointer", sk: "pointer" };

/** The key of a newer run sorts before those of older runs. */
export function pastKey(
  run: { readonly runId: string; readonly createdAtMs: number },
  { isResync }: { readonly isResync: boolean } = { isResync: false },
): Key {
  const age = 10 ** MOMENT_DIGITS - 1 - Math.min(10 ** MOMENT_DIGITS - 1, Math.max(0, Math.trunc(run.createdAtMs)));
  return { pk: OPEN_KEY.pk, sk: `${isResync ? PAST_RESYNC : PAST}${pad(age, MOMENT_DIGITS)}#${run.runId}` };
}

export function runKey(runId: string): Key {
  return { pk: `run#${runId}`, sk: "run" };
}

export function paceKey(paceId: string): Key {
  return { pk: `pace#${paceId}`, sk: "pace" };
}

export function scopeKey(runId: string, chunk: number): Key {
  return { pk: `run#${runId}`, sk: `scope#${pad(chunk, 4)}` };
}

export function sweepKey(runId: string): Key {
  return { pk: `windows#${runId}`, sk: "sweep" };
}

export function windowKey(window: {
  readonly runId: string;
  readonly generation: number;
  readonly number: number;
}): Key {
  return { pk: `windows#${window.runId}`, sk: `window#${windowPath(window.generation, window.number)}` };
}

export function ledgerKey(key: BatchKey): Key {
  return { pk: `ledger#${key.runId}`, sk: ledgerPath(key) };
}

/** If `did` is empty, it is the key of the counter, which sorts before every DID. */
export function resyncKey(paceId: string, did: string, collections?: readonly string[]): Key {
  const suffix = collections === undefined ? "" : ` ${digestOf(collections)}`;
  return { pk: `resync#${paceId}`, sk: did === "" ? "#count" : `${did}${suffix}` };
}

/** The repository of resyncKey()'s key: a DID has no space. */
export function didOfResync(sk: string): string {
  return sk.split(" ", 1)[0] ?? sk;
}

/** The same for the same collections in another order. */
function digestOf(collections: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(collections.toSorted())).digest("hex").slice(0, DIGEST_CHARS);
}

export type NoteKind = "error" | "gap" | "action" | "consumer" | "history" | "notice" | "audit" | "audit-work";

export function noteKey(runId: string, kind: NoteKind, id: string): Key {
  return { pk: `notes#${runId}`, sk: `${kind}#${id}` };
}

/** The sort key of a batch's entry without the batch: a prefix of all of the window's entries. */
export function windowPath(generation: number, window: number): string {
  return `${pad(generation, GENERATION_DIGITS)}#${pad(window, WINDOW_DIGITS)}`;
}

export function ledgerPath(key: Omit<BatchKey, "runId">): string {
  return `${windowPath(key.generation, key.window)}#${pad(key.fence, FENCE_DIGITS)}#${pad(key.number, BATCH_DIGITS)}`;
}

/** @throws BrokenStateError when it is not the sort key of an entry */
export function readLedgerPath(runId: string, path: string): BatchKey {
  const parts = path.split("#").map(Number);
  const [generation, window, fence, number] = parts;
  if (
    generation === undefined ||
    window === undefined ||
    fence === undefined ||
    number === undefined ||
    parts.includes(NaN)
  )
    throw new BrokenStateError(`${JSON.stringify(path)} is no key of the ledger`);
  return { runId, generation, window, fence, number };
}

/** @throws BrokenStateError if the number does not fit, because longer keys would not sort correctly */
export function pad(value: number, digits: number): string {
  const text = String(value);
  if (!Number.isSafeInteger(value) || value < 0 || text.length > digits)
    throw new BrokenStateError(`${value} does not fit into ${digits} digits of a key`);
  return text.padStart(digits, "0");
}
