/**
 * The ledger on a table. A consumer writes only the entry of its own batch, and nobody changes an outcome, except that a
 * redrive makes a dead batch applied.
 */
import type { BatchKey } from "@firehose-backfill/core/batch";
import type { LedgerStore } from "../ledger-store.ts";
import { absent, all, any, compare, equals } from "../table/conditions.ts";
import type { Condition } from "../table/table.ts";
import { readCount } from "./attributes.ts";
import { untilDone } from "./attempts.ts";
import { correct } from "./correction.ts";
import { ledgerKey } from "./keys.ts";
import { counts, expiresAt, readEntry, type StoredEntry, visible } from "./ledger-item.ts";
import type { Deps } from "./run-updates.ts";

const IS_OPEN: Condition = absent("outcome");
const IS_DEAD: Condition = equals("outcome", "dead");

export function ledgerMethods(deps: Deps): LedgerStore {
  const { table, now } = deps;

  async function find(key: BatchKey): Promise<StoredEntry | null> {
    const item = await table.get(ledgerKey(key));
    return item === null ? null : readEntry(key.runId, item);
  }

  return {
    async getEntry(key) {
      const entry = await find(key);
      return entry === null ? null : visible(entry);
    },

    async setSlot(key, { dueMs, paceVersion, removals }) {
      // The attempts are counted from 0 for each part of a batch.
      const part = removals === undefined ? {} : { removals, attempts: 0 };
      const slot = { dueMs, paceEpoch: paceVersion, ...part };
      const isNewer = any(absent("paceEpoch"), compare("paceEpoch", "<=", paceVersion));
      const isOpen = all(IS_OPEN, isNewer);
      const set = { ...slot, expiresAt: expiresAt(now(), null) };
      if ((await table.update(ledgerKey(key), { set }, isOpen)) !== null) return;
      // A redriven batch uses the pace of the run that is open now. Its pace versions are different from those of the batch's
      // own run, so they are not compared.
      await table.update(ledgerKey(key), { set: slot }, IS_DEAD);
    },

    beginAttempt: (key) =>
      untilDone("begin an attempt", async () => {
        // If the SDK retries a write that succeeded, attempts rises by two: the batch may be dead-lettered one attempt early.
        const change = { set: { expiresAt: expiresAt(now(), null) }, add: { attempts: 1 } };
        const after = await table.update(ledgerKey(key), change, IS_OPEN);
        if (after !== null) return visible(readEntry(key.runId, after));
        const found = await find(key);
        return found === null ? "again" : visible(found);
      }),

    async cancelAttempt(key) {
      const wasBegun = all(IS_OPEN, compare("attempts", ">=", 1));
      await table.update(ledgerKey(key), { add: { attempts: -1 } }, wasBegun);
    },

    async addWait(key) {
      // A dead batch that waits was redriven. The entry is kept for the longest time in both cases.
      const change = { set: { expiresAt: expiresAt(now(), "dead") }, add: { waits: 1 } };
      const after = await table.update(ledgerKey(key), change, any(IS_OPEN, IS_DEAD));
      return after === null ? ((await find(key))?.waits ?? 0) : readCount(after, "waits");
    },

    finish: (key, outcome, its, { nowMs, redriven }) =>
      untilDone("finish a batch", async () => {
        const ended = {
          outcome: outcome,
          counts: counts(its),
          finishedAtMs: nowMs,
          expiresAt: expiresAt(nowMs, outcome),
        };
        const after = await table.update(ledgerKey(key), { set: ended }, IS_OPEN);
        if (after !== null) return visible(readEntry(key.runId, after));
        const found = await find(key);
        if (found === null) return "again";
        if (!redriven || outcome !== "applied" || found.outcome !== "dead" || found.counts === null)
          return visible(found);
        // It is kept as long as a dead batch, because the correction needs it.
        const revived = {
          before: counts(found.counts),
          correctionPending: true,
          expiresAt: expiresAt(nowMs, "dead"),
        };
        const applied = await table.update(ledgerKey(key), { set: { ...ended, ...revived } }, IS_DEAD);
        // Another writer was faster, or the SDK retried a write that had succeeded. The next round reads what is stored.
        return applied === null ? "again" : visible(readEntry(key.runId, applied));
      }),

    async enterDead(key, its, { nowMs }) {
      const item = {
        outcome: "dead",
        counts: counts(its),
        finishedAtMs: nowMs,
        expiresAt: expiresAt(nowMs, "dead"),
        isCounted: true,
      };
      // If the SDK retries a write that succeeded, the result is false. The caller then uses another key. The first entry stays
      // without a message, which does no harm.
      return table.put(ledgerKey(key), item, absent("pk"));
    },

    correct: (key) => correct(deps, key),
  };
}
