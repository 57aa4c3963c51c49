/** A database that is made up: advisory locks, a latency, and stalls in which nothing that was sent comes back. */
import type { BatchCounts } from "@firehose-backfill/core/batch";
import type { Clock } from "@firehose-backfill/core/clock";
import { SinkError } from "@firehose-backfill/sink/sink-error";
import type { Health } from "@firehose-backfill/sink/production-health";
import type { SinkRow } from "@firehose-backfill/sink/rows";
import type { ConsumerSink } from "@firehose-backfill/sink/sink";

export interface AppliedBatch {
  readonly atMs: number;
  readonly events: number;
  readonly runId: string;
}

export interface SimulatedDatabase extends ConsumerSink {
  /** When statements were sent: what production feels. */
  readonly applied: readonly AppliedBatch[];
  readonly mostAtOnce: () => number;
  /** No answer from `fromMs` until `untilMs`; what arrives meanwhile waits. */
  stall(fromMs: number, untilMs: number): void;
  /** Connections fail from `fromMs` until `untilMs`. */
  down(fromMs: number, untilMs: number): void;
  /** Every batch fails for no reason that anybody knows, from `fromMs` until `untilMs`. */
  fail(fromMs: number, untilMs: number): void;
  health: () => Promise<Health>;
}

export function simulatedDatabase(options: { readonly clock: Clock; readonly latencyMs: number }): SimulatedDatabase {
  const { clock, latencyMs } = options;
  const applied: AppliedBatch[] = [];
  const stalls: { fromMs: number; untilMs: number }[] = [];
  const outages: { fromMs: number; untilMs: number }[] = [];
  const failures: { fromMs: number; untilMs: number }[] = [];
  let active = 0;
  let most = 0;

  const answer = async () => {
    await clock.sleep(latencyMs);
    for (;;) {
      const now = clock.now();
      const stalled = stalls.find(({ fromMs, untilMs }) => now >= fromMs && now < untilMs);
      if (stalled === undefined) return;
      await clock.sleep(stalled.untilMs - now);
    }
  };

  return {
    applied,
    mostAtOnce: () => most,
    stall: (fromMs, untilMs) => void stalls.push({ fromMs, untilMs }),
    down: (fromMs, untilMs) => void outages.push({ fromMs, untilMs }),
    fail: (fromMs, untilMs) => void failures.push({ fromMs, untilMs }),
    async apply({ runId }, rows, { lock }) {
      const now = clock.now();
      if (failures.some(({ fromMs, untilMs }) => now >= fromMs && now < untilMs))
        throw new SinkError("nobody knows why", "attempt");
      if (outages.some(({ fromMs, untilMs }) => now >= fromMs && now < untilMs))
        throw new SinkError("connection refused", "service");
      // BEGIN and the lock are one round trip.
      if (active >= lock.maxConcurrent) return { kind: "busy" };
      active += 1;
      most = Math.max(most, active);
      try {
        const startedMs = clock.now();
        await answer();
        if (!lock.isOnTime()) return { kind: "late" };
        applied.push({ atMs: clock.now(), events: eventsOf(rows).length, runId });
        await answer();
        const counts = countsOf(rows);
        return { kind: "applied", counts, durationMs: clock.now() - startedMs };
      } finally {
        active -= 1;
      }
    },
    health: () => Promise.resolve({ kind: "healthy" }),
    pool: () => ({ used: active, size: POOL_SIZE }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A range is what the records behind it prove: it is no event itself. */
function eventsOf(rows: readonly SinkRow[]): readonly SinkRow[] {
  return rows.filter(({ kind }) => kind !== "range");
}

function countsOf(all: readonly SinkRow[]): BatchCounts {
  const rows = eventsOf(all);
  const deadReasons: Record<string, number> = {};
  for (const row of rows) if (row.kind === "dead") deadReasons[row.reason] = (deadReasons[row.reason] ?? 0) + 1;
  const dead = Object.values(deadReasons).reduce((sum, count) => sum + count, 0);
  return { applied: rows.length - dead, stale: 0, dead, ...(dead === 0 ? {} : { deadReasons }) };
}

const POOL_SIZE = 100;
