/**
 * Bringing a redriven batch into the totals, exactly once, over two items and without transactions:
 *
 * 1. the run item: totals changed, `correctionSeq` + 1, `correctionMark` = the batch; only if there is no mark and
 *    `correctionSeq` is what was read *before* the entry was seen to be pending;
 * 2. the entry: no longer pending;
 * 3. the run item: the mark is removed, if it is still this one.
 *
 * A crash after 1 leaves the mark, and the next caller does 2 and 3 for it. A caller that saw the entry pending, and was
 * slower than all three steps of another caller, finds `correctionSeq` changed. A dead entry becomes applied at most once,
 * so a batch is corrected at most once.
 */
import type { BatchKey } from "@firehose-backfill/core/batch";
import { addTotals, correctionOf, difference } from "../run-values.ts";
import { absent, equals } from "../table/conditions.ts";
import type { Table } from "../table/table.ts";
import { readCount, readTextOrNull } from "./attributes.ts";
import { untilDone } from "./attempts.ts";
import { ledgerKey, ledgerPath, readLedgerPath, runKey } from "./keys.ts";
import { readEntry } from "./ledger-item.ts";
import { deadReasonAttributes, readRunItem } from "./run-item.ts";
import { type Deps, updateRunItem } from "./run-updates.ts";

export async function correct({ table }: Pick<Deps, "table">, key: BatchKey): Promise<void> {
  await untilDone("correct the totals", async () => {
    // The order of these two reads is what makes step 1 safe.
    const run = await table.get(runKey(key.runId));
    if (run === null) return "done";
    const left = readTextOrNull(run, "correctionMark");
    if (left !== null) {
      await complete(table, key.runId, left);
      return "again";
    }
    const item = await table.get(ledgerKey(key));
    const entry = item === null ? null : readEntry(key.runId, item);
    if (entry === null || !entry.correctionPending || !entry.isCounted) return "done";
    if (entry.before === null || entry.counts === null) return "done";

    const change = correctionOf(entry.before, entry.counts);
    const { received, processed, stale, dead } = change;
    const { totals } = readRunItem(run);
    const reasons = deadReasonAttributes(difference(totals.deadReasons, addTotals(totals, change).deadReasons));
    const seq = readCount(run, "correctionSeq");
    const after = await updateRunItem(
      table,
      key.runId,
      {
        add: { received, processed, stale, dead, ...reasons },
        set: { correctionSeq: seq + 1, correctionMark: ledgerPath(key) },
      },
      seq === 0 ? absent("correctionSeq") : equals("correctionSeq", seq),
      absent("correctionMark"),
    );
    // Not written, or written and retried by the SDK: the next round sees which.
    if (after === null) return "again";
    await complete(table, key.runId, ledgerPath(key));
    return "done";
  });
}

/** Steps 2 and 3, for the correction that the mark names. Safe to repeat, and for one that is long complete. */
async function complete(table: Table, runId: string, mark: string): Promise<void> {
  await table.update(
    ledgerKey(readLedgerPath(runId, mark)),
    { set: { correctionPending: false } },
    equals("correctionPending", true),
  );
  await updateRunItem(table, runId, { set: { correctionMark: null } }, equals("correctionMark", mark));
}
