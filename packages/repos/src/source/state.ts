/**
 * What a run over repositories remembers between ticks, as one text of at most 2 KB: where the list of repositories stands, the repositories in work and
 * their keys, and the counts. What waits for its host is in the table (deferred.ts); here is how far that was taken up.
 */
import { deflateRawSync } from "node:zlib";
import { MAX_DEFLATED_STATE_BYTES, MAX_SOURCE_TEXT_BYTES } from "@firehose-backfill/source/cursor";
import type { CurrentRepo, SourceProgress, SourceState } from "@firehose-backfill/source/window";

export interface RepoInWork {
  readonly did: string;
  /** `to` of its last range; null: it is at its beginning. */
  readonly after: string | null;
  /** Failed ones, one after the other. */
  readonly attempts: number;
  /** Its archive is not to be asked for (again). */
  readonly isWalkOnly: boolean;
  /** Taken so far. For people, as the next one is. */
  readonly records: number;
  /** How many are wanted, estimated once; 0: not known. */
  readonly estimated: number;
}

/** Where the list of repositories stands: the cursor of a page, and how many of that page are taken. */
export interface ListPlace {
  readonly cursor: string | null;
  readonly taken: number;
}

export interface ReposState {
  readonly inWork: readonly RepoInWork[];
  /** null: all of it is taken. */
  readonly list: ListPlace | null;
  readonly known: number;
  readonly done: number;
  readonly failed: number;
  /** Items that wait, and are not taken up. */
  readonly deferred: number;
  /** Of the last item that was put off. */
  readonly serial: number;
  /** Name of the last item that was taken up; empty: none was. */
  readonly takenUp: string;
}

export const MAX_IN_WORK = 16;
/** A text that does not compress becomes longer by a few bytes. */
const DEFLATE_OVERHEAD_BYTES = 50;

export function newState(known: number): ReposState {
  const list = { cursor: null, taken: 0 };
  return { inWork: [], list, known, done: 0, failed: 0, deferred: 0, serial: 0, takenUp: "" };
}

export function newRepo(did: string): RepoInWork {
  return { did, after: null, attempts: 0, isWalkOnly: false, records: 0, estimated: 0 };
}

export function writeState(state: ReposState): SourceState {
  const { list, known, done, failed, deferred, serial, takenUp } = state;
  const place = list === null ? null : [list.cursor, list.taken];
  return JSON.stringify([VERSION, place, known, done, failed, deferred, serial, takenUp, state.inWork.map(writeRepo)]);
}

export function fits(state: ReposState): boolean {
  if (state.inWork.length > MAX_IN_WORK) return false;
  const text = writeState(state);
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_DEFLATED_STATE_BYTES - DEFLATE_OVERHEAD_BYTES) return true;
  return bytes <= MAX_SOURCE_TEXT_BYTES && deflateRawSync(text).length <= MAX_DEFLATED_STATE_BYTES;
}

/** A key of the usual length: whoever has none yet will have one. */
const USUAL_KEY = "app.bsky.graph.follow/3zzzzzzzzzzzzz";
const USUAL_RECORDS = 99_999;

/** Whether another repository may be begun: all of them get keys. */
export function hasRoomFor(state: ReposState, repo: RepoInWork): boolean {
  const inWork = [...state.inWork, repo].map((each) => ({
    ...each,
    after: each.after !== null && each.after.length > USUAL_KEY.length ? each.after : USUAL_KEY,
    records: Math.max(each.records, USUAL_RECORDS),
    estimated: Math.max(each.estimated, USUAL_RECORDS),
  }));
  return fits({ ...state, inWork });
}

/** @throws TypeError for a text that writeState() has not made */
export function readState(text: SourceState): ReposState {
  const [version, place, known, done, failed, deferred, serial, takenUp, inWork]: unknown[] = JSON.parse(text);
  if (version !== VERSION || typeof takenUp !== "string" || !Array.isArray(inWork)) throw notAState(text);
  const [count, ...others] = [known, done, failed, deferred, serial].map((value) => numberOf(value, text));
  const [ended = 0, lost = 0, waiting = 0, last = 0] = others;
  return {
    inWork: inWork.map((repo: unknown) => readRepo(repo, text)),
    list: place === null ? null : readPlace(place, text),
    known: count ?? 0,
    done: ended,
    failed: lost,
    deferred: waiting,
    serial: last,
    takenUp,
  };
}

export function progressOf(state: ReposState, isCounted: boolean): SourceProgress {
  const { known, done, deferred, failed, inWork, list } = state;
  const isComplete = isCounted || list === null;
  const first = inWork.find(({ after }) => after !== null);
  return {
    known,
    done,
    inWork: inWork.length,
    deferred,
    failed,
    isComplete,
    current: first === undefined ? null : currentOf(first),
  };
}

/** Long ones are cut: nobody looks a key up by it. */
const MAX_SHOWN = { did: 64, key: 100 };

function currentOf({ did, after, records, estimated }: RepoInWork): CurrentRepo {
  const key = (after ?? "").slice(0, MAX_SHOWN.key);
  return {
    did: did.slice(0, MAX_SHOWN.did),
    key,
    records,
    estimated: estimated === 0 ? null : Math.max(estimated, records),
  };
}

/** As an item that waits has it, too. */
export function writeRepo({ did, after, attempts, isWalkOnly, records, estimated }: RepoInWork): readonly unknown[] {
  return [did, after, attempts, isWalkOnly ? 1 : 0, records, estimated];
}

/** @throws TypeError */
export function readRepo(value: unknown, text: string): RepoInWork {
  if (!Array.isArray(value)) throw notAState(text);
  // The last two are younger than the others.
  const [did, after, attempts, walkOnly, records = 0, estimated = 0]: unknown[] = value;
  if (typeof did !== "string") throw notAState(text);
  return {
    did,
    after: textOrNull(after, text),
    attempts: numberOf(attempts, text),
    isWalkOnly: walkOnly === 1,
    records: numberOf(records, text),
    estimated: numberOf(estimated, text),
  };
}

const VERSION = 1;

function readPlace(value: unknown, text: string): ListPlace {
  if (!Array.isArray(value)) throw notAState(text);
  const [cursor, taken]: unknown[] = value;
  return { cursor: textOrNull(cursor, text), taken: numberOf(taken, text) };
}

function textOrNull(value: unknown, text: string): string | null {
  if (value === null || typeof value === "string") return value;
  throw notAState(text);
}

function numberOf(value: unknown, text: string): number {
  if (typeof value === "number") return value;
  throw notAState(text);
}

function notAState(text: string): TypeError {
  return new TypeError(`not a state of repositories: ${text.slice(0, 100)}`);
}
