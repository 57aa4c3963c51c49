/**
 * Errors, gaps, actions, reports of consumers and the run's history: separate items, at most a fixed number. The first three are
 * stored in a ring of slots; a counter says which slot is next, so that two writers never write the same item. The history is
 * read by Query like the others, so that no role needs another permission for it.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { boundAuditNote, parseAuditNote } from "@firehose-backfill/core/audit-note";
import { BrokenStateError } from "../errors.ts";
import {
  boundAction,
  boundError,
  boundGap,
  CONSUMER_SILENT_MS,
  isSameGap,
  kindKey,
  lastErrors,
  MAX_ACTIONS,
  MAX_ERRORS,
  MAX_GAPS,
  whoIsHeard,
} from "../note-values.ts";
import { assertId } from "../run-values.ts";
import type { ConsumerReport, Gap, RunAction, RunError } from "../notes.ts";
import type { NoteStore } from "../note-store.ts";
import { absent, any, compare, exists } from "../table/conditions.ts";
import type { Item } from "../table/table.ts";
import {
  cursor,
  cursorOf,
  itemOf,
  json,
  readBytes,
  readJson,
  readNumber,
  readNumbersOrNull,
  readText,
  type StoredCursor,
} from "./attributes.ts";
import { LAST, noteKey, type NoteKind, pad } from "./keys.ts";
import type { Deps } from "./run-updates.ts";

type StoredGap = Omit<Gap, "from" | "to"> & { readonly from: StoredCursor; readonly to: StoredCursor };

const SLOTS = { error: MAX_ERRORS, gap: MAX_GAPS, action: MAX_ACTIONS } as const;
type InSlots = keyof typeof SLOTS;

function unzipped(item: Item): string {
  return gunzipSync(readBytes(item, "body") ?? gzipSync("")).toString();
}

/** An entry with a kind has no number: among entries of the same moment it comes last. */
function numberOf(item: Item): number {
  return item["times"] === undefined ? readNumber(item, "count") : Number.POSITIVE_INFINITY;
}

export function noteMethods({ table, now }: Deps): NoteStore {
  /** If the SDK retries a write that succeeded, the counter skips one slot, and one more old note is kept. */
  async function add(runId: string, kind: InSlots, note: RunError | StoredGap | RunAction): Promise<void> {
    const counter = await table.update({ ...noteKey(runId, kind, "") }, { add: { count: 1 } });
    if (counter === null) throw new BrokenStateError("an update without a condition was refused");
    const count = readNumber(counter, "count");
    const item = itemOf({ count: count, note: json(note) });
    const isNewer = any(absent("pk"), compare("count", "<", count));
    await table.put(noteKey(runId, kind, pad(count % SLOTS[kind], 4)), item, isNewer);
  }

  /** In the order in which they came. */
  async function list<T>(runId: string, kind: InSlots): Promise<T[]> {
    const items = await query(runId, kind);
    return items
      .filter((item) => item["note"] !== undefined)
      .sort((a, b) => readNumber(a, "count") - readNumber(b, "count"))
      .map((item) => readJson<T>(item, "note"));
  }

  function query(runId: string, kind: NoteKind): Promise<Item[]> {
    const { pk, sk } = noteKey(runId, kind, "");
    return table.query({ pk, from: sk, to: sk + LAST });
  }

  async function listGaps(runId: string): Promise<Gap[]> {
    const gaps = await list<StoredGap>(runId, "gap");
    return gaps.map((gap) => ({ ...gap, from: cursorOf(gap.from), to: cursorOf(gap.to) }));
  }

  return {
    async addGap(runId, gap) {
      const known = await listGaps(runId);
      // A reader that crashed after noting it finds the same gap again.
      if (known.some((it) => isSameGap(it, gap))) return;
      const bounded = boundGap(gap);
      await add(runId, "gap", { ...bounded, from: cursor(gap.from), to: cursor(gap.to) });
    },
    listGaps,

    async addError(runId, error) {
      const bounded = boundError(error);
      if (error.kind === undefined) return add(runId, "error", bounded);
      // A separate key for each kind, because consumers have no permission to search. If the SDK retries a write that succeeded,
      // `times` rises by two; the number is only shown to people.
      const key = noteKey(runId, "error", kindKey(error.kind));
      const change = { set: { count: 0, note: json(bounded) }, add: { times: 1 } };
      if ((await table.update(key, change, exists("pk"))) !== null) return;
      await table.update(key, { ...change, set: { ...change.set, firstAtMs: error.atMs } });
    },

    async listErrors(runId) {
      const items = (await query(runId, "error")).filter((item) => item["note"] !== undefined);
      const errors = items
        .sort((a, b) => numberOf(a) - numberOf(b))
        .map((item) => ({
          ...readJson<RunError>(item, "note"),
          ...(item["times"] === undefined ? {} : { times: readNumber(item, "times") }),
          ...(item["firstAtMs"] === undefined ? {} : { firstAtMs: readNumber(item, "firstAtMs") }),
        }));
      return lastErrors(errors);
    },

    addAction: (runId, action) => add(runId, "action", boundAction(action)),
    listActions: (runId) => list<RunAction>(runId, "action"),

    async reportConsumer(runId, report) {
      assertId("consumer", report.id);
      const expires = Math.ceil((now() + 2 * CONSUMER_SILENT_MS) / 1000);
      await table.put(noteKey(runId, "consumer", report.id), { note: json(report), expiresAt: expires });
    },

    async listConsumers(runId) {
      const items = await query(runId, "consumer");
      const reports = items.map((item) => ({
        sk: readText(item, "sk"),
        report: readJson<ConsumerReport>(item, "note"),
      }));
      const { heard, silent } = whoIsHeard(reports, ({ report }) => report.atMs);
      await Promise.all(silent.map(({ sk }) => table.delete({ pk: noteKey(runId, "consumer", "").pk, sk })));
      return heard.map(({ report }) => report);
    },

    async getNotices(runId) {
      const [item] = await query(runId, "notice");
      return item === undefined ? {} : (readNumbersOrNull(item, "toldAtMs") ?? {});
    },

    async putNotices(runId, toldAtMs) {
      await table.put(noteKey(runId, "notice", ""), { toldAtMs: { ...toldAtMs } });
    },

    async putHistory(runId, history) {
      await table.put(noteKey(runId, "history", ""), { body: gzipSync(history) });
    },

    async getHistory(runId) {
      const [item] = await query(runId, "history");
      return item === undefined ? null : unzipped(item);
    },

    async putAudit(paceId, audit) {
      await table.put(noteKey(paceId, "audit", ""), { note: json(boundAuditNote(audit)) });
    },

    async getAudit(paceId) {
      const [item] = await query(paceId, "audit");
      return item === undefined ? null : parseAuditNote(readJson<unknown>(item, "note"));
    },

    async putAuditWork(paceId, work) {
      await table.put(noteKey(paceId, "audit-work", ""), { body: gzipSync(work) });
    },

    async getAuditWork(paceId) {
      const [item] = await query(paceId, "audit-work");
      return item === undefined ? null : unzipped(item);
    },
  };
}
