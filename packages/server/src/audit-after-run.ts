/**
 * BACKFILL_AUDIT_SAMPLE in a local process: after the last open run has succeeded, a small random sample of the copy is audited, and the result is
 * kept. It gives way as soon as another run is open, because runs and audits share what the database can bear.
 */
import { auditStep, drawSample, noteOfSample } from "@firehose-backfill/audit/sample-steps";
import { collectionsOfCopy } from "@firehose-backfill/backfill/collections-of-copy";
import { keepAudit } from "@firehose-backfill/backfill/keep-audit";
import type { NoteStore } from "@firehose-backfill/checkpoint/note-store";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { AuditNote } from "@firehose-backfill/core/audit-note";
import type { Clock } from "@firehose-backfill/core/clock";
import type { Settings } from "@firehose-backfill/core/config/settings";
import { describeError } from "@firehose-backfill/core/errors";
import type { SinkKit } from "@firehose-backfill/sink/kit";
import { openAuditor } from "./open-auditor.ts";

export interface AuditAfterRunOptions {
  readonly settings: Pick<
    Settings,
    "auditSample" | "collections" | "plcUrl" | "throttleQuery" | "hostRate" | "contact"
  >;
  readonly store: Pick<RunStore, "openRuns" | "currentRun" | "pastRuns" | "getScope"> & Pick<NoteStore, "putAudit">;
  readonly sink: Pick<SinkKit, "openCopy" | "identity">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

const LOOK_FOR_RUNS_EVERY_MS = 2_000;
/** A step only limits how long an unreachable host can hold up the others. */
const STEP_MS = 60_000;

/** An audit that fails does not make a failure of the run: it is logged. */
export async function auditAfterRun(options: AuditAfterRunOptions): Promise<void> {
  const { settings, log } = options;
  if (settings.auditSample === 0) return;
  try {
    log(
      `[BACKFILL] Audit: ${settings.auditSample} repositories at random are compared with what their accounts have signed`,
    );
    const note = await auditSample(options);
    if (note === null) {
      log("[BACKFILL] Audit: it was stopped, and nothing of it is kept");
      return;
    }
    const { id } = await options.sink.identity();
    if (id !== null) await keepAudit(options.store, { audit: note, database: id });
    const { equal, behind, differing, unreachable, inactive } = note;
    log(
      `[BACKFILL] Audit: ${equal} equal, ${behind} behind, ${differing} differing, ${unreachable} unreachable, ${inactive} inactive`,
    );
  } catch (error) {
    log(`[BACKFILL] Audit: it failed, and nothing of it is kept: ${describeError(error)}`);
  }
}

/** null: it was stopped. @throws SinkError */
async function auditSample(options: AuditAfterRunOptions): Promise<AuditNote | null> {
  const { settings, store, clock, random, log } = options;
  const over = new AbortController();
  const givesWay = new AbortController();
  const signal = AbortSignal.any([options.signal, givesWay.signal]);
  const watching = watchForRuns({ store, clock, signal: AbortSignal.any([signal, over.signal]) }, () =>
    givesWay.abort(),
  );
  try {
    const collections = await collectionsOfCopy(store, settings.collections);
    const onWaiting = (because: string) => log(`[BACKFILL] Audit: it waits until production is well: ${because}`);
    await using auditor = openAuditor({ settings, sink: options.sink, collections, clock, random, onWaiting });
    let state = await drawSample({ copy: auditor.copy, random, size: settings.auditSample });
    while (state.waiting.length > 0 && !signal.aborted)
      state = await auditStep(state, { ...auditor, beginUntilMs: clock.now() + STEP_MS, signal });
    return signal.aborted ? null : noteOfSample(state, { atMs: clock.now(), by: "a run", collections });
  } finally {
    over.abort();
    await watching;
  }
}

async function watchForRuns(
  { store, clock, signal }: Pick<AuditAfterRunOptions, "store" | "clock" | "signal">,
  giveWay: () => void,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(LOOK_FOR_RUNS_EVERY_MS, signal);
    // The table cannot be reached now: it is looked at again.
    const open = signal.aborted ? [] : await store.openRuns().catch(() => []);
    if (open.length > 0) giveWay();
  }
}
