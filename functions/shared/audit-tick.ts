/**
 * BACKFILL_AUDIT_SAMPLE on AWS: a schedule calls the control function, which reaches both the database and the accounts' hosts, as long as it is
 * in no VPC. Each call does as much as its time allows; the table keeps how far it has come. After a run that succeeded one sample is
 * audited, while no run is open.
 */
import {
  auditStep,
  drawSample,
  noteOfSample,
  parseSampleState,
  type SampleState,
} from "@firehose-backfill/audit/sample-steps";
import { collectionsOfCopy } from "@firehose-backfill/backfill/collections-of-copy";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Clock } from "@firehose-backfill/core/clock";
import type { Settings } from "@firehose-backfill/core/config/settings";
import { openAuditor } from "@firehose-backfill/server/open-auditor";
import type { SinkKit } from "@firehose-backfill/sink/kit";

export interface AuditTickOptions {
  readonly settings: Pick<
    Settings,
    "auditSample" | "collections" | "plcUrl" | "throttleQuery" | "hostRate" | "contact"
  >;
  readonly store: Pick<
    CheckpointStore,
    "openRuns" | "pastRuns" | "getScope" | "putAudit" | "getAuditWork" | "putAuditWork"
  >;
  readonly openDatabase: () => Pick<SinkKit, "openCopy">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly remainingMs: number;
  readonly log: (line: string) => void;
}

/** Kept between two calls. `state` null: the audit after this run is done. */
interface AuditWork {
  readonly runId: string;
  readonly state: SampleState | null;
}

/** Of the remaining time: after the first share no repository is begun, after the second the step ends; the rest is for the table. */
const BEGIN_SHARE = 0.5;
const END_SHARE = 0.8;
const PAST_RUNS = 20;

/** What was done, in one sentence. @throws SinkError, TableError: nothing is lost, and the next call goes on from the state of before */
export async function auditTick(options: AuditTickOptions): Promise<string> {
  const { settings, store, openDatabase, clock, random, remainingMs, log } = options;
  if (settings.auditSample === 0) return "BACKFILL_AUDIT_SAMPLE is 0: nothing is audited";
  const beganMs = clock.now();
  if ((await store.openRuns()).length > 0) return "a run is open: the audit waits until none is";
  const run = (await store.pastRuns({ limit: PAST_RUNS })).find(({ status }) => status === "succeeded");
  if (run === undefined) return "no run has succeeded yet";
  const known = await readWork(store, run);
  if (known?.state === null) return `the sample after run ${run.runId} is audited already`;
  const collections = await collectionsOfCopy(store, settings.collections);
  const onWaiting = (because: string) => log(`[BACKFILL] Audit: it waits until production is well: ${because}`);
  await using auditor = openAuditor({ settings, sink: openDatabase(), collections, clock, random, onWaiting });
  const before = known?.state ?? (await drawSample({ copy: auditor.copy, random, size: settings.auditSample }));
  const beginUntilMs = beganMs + remainingMs * BEGIN_SHARE;
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), Math.max(0, beganMs + remainingMs * END_SHARE - clock.now()));
  let state: SampleState;
  try {
    state = await auditStep(before, { ...auditor, beginUntilMs, signal: ending.signal });
  } finally {
    clearTimeout(timer);
  }
  if (state.waiting.length > 0) {
    await putWork(store, run, state);
    return `${state.waiting.length} repositories of the sample are left for the next call`;
  }
  const note = noteOfSample(state, { atMs: clock.now(), by: "a run", collections });
  // First the result: if the process ends in between, the last step is repeated.
  await store.putAudit(run.paceId, note);
  await putWork(store, run, null);
  const { equal, behind, differing, unreachable, inactive } = note;
  const line = `Audit: ${equal} equal, ${behind} behind, ${differing} differing, ${unreachable} unreachable, ${inactive} inactive`;
  log(`[BACKFILL] ${line}`);
  return line;
}

async function readWork(store: AuditTickOptions["store"], { paceId, runId }: Run): Promise<AuditWork | null> {
  const stored = await store.getAuditWork(paceId);
  if (stored === null) return null;
  const work: unknown = JSON.parse(stored);
  if (typeof work !== "object" || work === null || !("runId" in work) || !("state" in work)) return null;
  if (work.runId !== runId) return null;
  const state = work.state === null ? null : parseSampleState(work.state);
  return work.state !== null && state === null ? null : { runId, state };
}

async function putWork(store: AuditTickOptions["store"], { paceId, runId }: Run, state: SampleState | null) {
  const work: AuditWork = { runId, state };
  await store.putAuditWork(paceId, JSON.stringify(work));
}
