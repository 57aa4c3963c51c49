/**
 * Corrects the totals for a redriven batch, exactly once. This changes two items without a transaction, in three steps:
 *
 * 1. The run item: the totals are changed, `correctionSeq` rises by 1, and `correctionMark` names the batch. The condition is
 *    that there is no mark, and that `correctionSeq` still has the value that was read before the entry was read.
 * 2. The entry: `correctionPending` becomes false.
 * 3. The run item: the mark is removed if it still names this batch.
 *
 * If a process crashes after step 1, the mark stays, and the next caller does steps 2 and 3. If another caller does all three
 * steps after this one has read the entry, `correctionSeq` has changed, and step 1 is refused. A dead entry becomes applied at
 * most once, so a batch is corrected at most once.
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
    // The run is read before the entry. Otherwise another caller could complete a correction between the two reads, and step 1
    // would add it again.
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
    // Either nothing was written, or the SDK retried a write that succeeded. The next round reads which of the two it was.
    if (after === null) return "again";
    await complete(table, key.runId, ledgerPath(key));
    return "done";
  });
}

/** Does steps 2 and 3 for the correction that the mark names. It may be repeated, also when the correction is already complete. */
async function complete(table: Table, runId: string, mark: string): Promise<void> {
  await table.update(
    ledgerKey(readLedgerPath(runId, mark)),
    { set: { correctionPending: false } },
    equals("correctionPending", true),
  );
  await updateRunItem(table, runId, { set: { correctionMark: null } }, equals("correctionMark", mark));
}
