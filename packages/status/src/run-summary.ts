/** One run in a few figures, open or past: the lines of the command `runs` and of the page's list of past runs. Pure. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { formatCount, formatDuration, formatRateOrDash, formatTime, sumOf } from "./format.ts";
import { elapsedMs } from "./progress.ts";
import { floorOrNull, iso, round } from "./rounding.ts";
import type { Snapshot } from "./snapshot.ts";

export interface RunSummary {
  readonly runId: string;
  readonly name: string | null;
  readonly status: Snapshot["status"];
  readonly reason: string | null;
  readonly host: string | null;
  /** ISO 8601 */
  readonly startedAt: string | null;
  /** ISO 8601; null: it is open. */
  readonly finishedAt: string | null;
  readonly elapsedSeconds: number;
  readonly received: number;
  readonly processed: number;
  readonly skipped: number;
  readonly dead: number;
  /** Without pauses. null: it took too short a time to say. */
  readonly averageRatePerSecond: number | null;
}

/** Of a run that is finished: then its totals are complete. */
export function summaryOfRun(run: Run): RunSummary {
  const { totals } = run;
  const elapsed = elapsedMs(run, run.finishedAtMs ?? run.createdAtMs);
  return {
    runId: run.runId,
    name: run.name,
    status: run.status,
    reason: run.reason,
    host: run.source.host,
    startedAt: iso(run.createdAtMs),
    finishedAt: run.finishedAtMs === null ? null : iso(run.finishedAtMs),
    elapsedSeconds: round(elapsed / 1_000, 1),
    received: totals.received,
    processed: totals.processed,
    skipped: sumOf(totals.skipped),
    dead: totals.dead,
    averageRatePerSecond: elapsed < 1_000 ? null : floorOrNull((totals.processed * 1_000) / elapsed, 2),
  };
}

/** null: it is not a snapshot of a run. */
export function summaryOfSnapshot(snapshot: Snapshot): RunSummary | null {
  if (snapshot.runId === null) return null;
  const { runId, name, status, reason, host, startedAt, elapsedSeconds, received, processed, dead } = snapshot;
  return {
    runId,
    name,
    status,
    reason,
    host,
    startedAt,
    finishedAt: null,
    elapsedSeconds,
    received,
    processed,
    skipped: sumOf(snapshot.skipped),
    dead,
    averageRatePerSecond: snapshot.averageRatePerSecond,
  };
}

/** Open and past runs in one list, newest first, each once. */
export function summaries(open: readonly Snapshot[], past: readonly RunSummary[]): readonly RunSummary[] {
  const known = new Set(past.map(({ runId }) => runId));
  const shown = open.flatMap((snapshot) => summaryOfSnapshot(snapshot) ?? []);
  return [...shown.filter(({ runId }) => !known.has(runId)), ...past].toSorted((a, b) =>
    (b.startedAt ?? "").localeCompare(a.startedAt ?? ""),
  );
}

/** `26,950 applied, 3 dead` */
export function summaryFigures({ processed, dead }: RunSummary): string {
  return `${formatCount(processed)} applied${dead > 0 ? `, ${formatCount(dead)} dead` : ""}`;
}

/** `2026-03-01 09:00:00, took 3 h, 2.5 evt/s on average` */
export function summaryTimes({ startedAt, finishedAt, elapsedSeconds, averageRatePerSecond }: RunSummary): string {
  const took = `${finishedAt === null ? "for" : "took"} ${formatDuration(elapsedSeconds)}`;
  return `${formatTime(startedAt)} UTC, ${took}, ${formatRateOrDash(averageRatePerSecond)} evt/s on average`;
}

/** Parsed from JSON that another process wrote. null: it is something else. */
export function parseSummaries(value: unknown): readonly RunSummary[] | null {
  return Array.isArray(value) && value.every(isSummary) ? value : null;
}

function isSummary(value: unknown): value is RunSummary {
  if (typeof value !== "object" || value === null) return false;
  const text = ["runId", "status"].every((key) => typeof Reflect.get(value, key) === "string");
  const numbers = ["elapsedSeconds", "received", "processed", "skipped", "dead"];
  return text && numbers.every((key) => typeof Reflect.get(value, key) === "number");
}
