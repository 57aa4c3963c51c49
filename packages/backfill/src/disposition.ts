/** What a consumer does with a message before it decodes anything, by the run item and the batch's ledger entry. */
import type { LedgerEntry } from "@firehose-backfill/checkpoint/ledger";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Batch } from "@firehose-backfill/core/batch";
import { ON_TIME_MS } from "@firehose-backfill/throttle/slots";
import type { ConsumerDeps } from "./deps.ts";
import { paceOf } from "./pace.ts";

export type Disposition =
  /** `delete`: void, cancelled, already applied, or of a finished window. */
  | { readonly kind: "delete"; readonly because: string }
  | { readonly kind: "wait"; readonly because: string }
  | { readonly kind: "dead-letter"; readonly because: string }
  | {
      readonly kind: "apply";
      readonly run: Run;
      readonly entry: LedgerEntry | null;
      /** Dead in the ledger, but in the queue again: it was redriven. */
      readonly isRedriven: boolean;
      /** It may have been redriven, because its entry was not read. The write of its result finds that out. */
      readonly mayBeRedriven: boolean;
    };

export async function dispositionOf(deps: ConsumerDeps, batch: Batch, receiveCount: number): Promise<Disposition> {
  const { key } = batch;
  const run = await deps.store.getRun(key.runId);
  if (run === null) return { kind: "dead-letter", because: `no run ${key.runId} is known` };
  if (run.status === "cancelled" || run.status === "cancelling") return { kind: "delete", because: "run cancelled" };
  const isVoid = key.generation !== run.generation;
  if (run.pausedNow && !isVoid) return { kind: "wait", because: run.status };

  const isFinished = key.window <= run.appliedWindow;
  // A first delivery that is on time has no entry, so the Get is skipped. Without a pace no batch is late: one that waited long may be a
  // copy of an applied batch, which changes no row, or redriven.
  const isLate = batch.dueMs < deps.clock.now() - ON_TIME_MS;
  const isPaced = paceOf(run).effectiveDelayMs > 0;
  const isWorthLooking = isVoid || isFinished || receiveCount > 1 || (isLate && isPaced);
  const entry = isWorthLooking ? await deps.store.getEntry(key) : null;
  if (entry?.outcome === "applied") {
    if (entry.correctionPending) await deps.store.correct(key);
    return { kind: "delete", because: "already applied" };
  }
  const isRedriven = entry?.outcome === "dead";
  // A batch that died in an older generation was counted there and is not read again; only a redrive brings it back.
  if (isVoid && !isRedriven) return { kind: "delete", because: "void generation" };
  if (run.pausedNow) return { kind: "wait", because: run.status };
  if (isFinished && !isRedriven) return { kind: "delete", because: "window already finished" };
  return { kind: "apply", run, entry, isRedriven, mayBeRedriven: isRedriven || (isLate && !isWorthLooking) };
}
