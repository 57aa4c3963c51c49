/** Memory, current batches and connections of all consumer processes together. Pure. */
import type { ConsumerReport } from "@firehose-backfill/checkpoint/notes";

/** This process's own figures, which are newer than its last report. */
export interface LocalFigures {
  /** The report that these figures replace, if this process also reports. */
  readonly consumerId: string | null;
  readonly memoryUsedMb: number;
  /** Batches being applied. */
  readonly active: number;
  readonly poolUsed: number;
  readonly poolSize: number;
}

export interface ProcessFigures {
  /** null: no process has reported. */
  readonly memoryUsedMb: number | null;
  readonly active: number;
  readonly pool: { readonly used: number; readonly size: number };
}

/** A consumer that has not reported for this long is gone or idle; in both cases it holds no batch. */
const REPORT_FRESH_MS = 90_000;

/** All consumer processes together; memory is that of the process that uses most, because the limit is for each. */
export function processFigures(input: {
  readonly consumers: readonly ConsumerReport[];
  readonly local?: LocalFigures;
  readonly nowMs: number;
}): ProcessFigures {
  const others = input.consumers.filter(
    ({ id, atMs }) => id !== (input.local?.consumerId ?? null) && input.nowMs - atMs <= REPORT_FRESH_MS,
  );
  const all = others.map((report) => ({ ...report, memoryUsedMb: report.rssMb }));
  const parts = input.local === undefined ? all : [...all, input.local];
  return {
    memoryUsedMb: parts.length === 0 ? null : Math.max(...parts.map((part) => part.memoryUsedMb)),
    active: sum(parts.map((part) => part.active)),
    pool: { used: sum(parts.map((part) => part.poolUsed)), size: sum(parts.map((part) => part.poolSize)) },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
