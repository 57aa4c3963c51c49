/**
 * The metrics for Prometheus at `/metrics`: the Snapshots of the runs, in its text format or in OpenMetrics. Names and units
 * follow Prometheus' conventions: base units, `_total` for counters, a label if one figure has parts.
 */
import { RUN_STATUSES } from "@firehose-backfill/core/run-state";
import { VERSION } from "@firehose-backfill/core/version";
import type { Snapshot, SnapshotAudit } from "@firehose-backfill/status/snapshot";
import { Counter, Gauge, type OpenMetricsContentType, Registry } from "prom-client";

const PREFIX = "firehose_backfill_";
const LEVELS = ["ok", "waiting", "attention", "failed"] as const satisfies readonly Snapshot["verdict"]["level"][];
const BYTES_A_MB = 2 ** 20;

export interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}

/** `accept`: the request's header; OpenMetrics if it is named there, otherwise the older format. */
export async function metricsText(snapshots: readonly Snapshot[], accept: string | undefined): Promise<MetricsText> {
  const registry = registryFor(accept);
  new Gauge({
    name: `${PREFIX}info`,
    help: "Always 1; its label is the program's version.",
    labelNames: ["version"],
    registers: [registry],
  }).set({ version: VERSION }, 1);
  const metrics = new Metrics(registry);
  for (const snapshot of snapshots) if (snapshot.runId !== null) addRun(metrics, snapshot, snapshot.runId);
  return { contentType: registry.contentType, body: await registry.metrics() };
}

type AnyRegistry = Registry | Registry<OpenMetricsContentType>;

/** A new registry for each scrape, so that a run that is over disappears. */
function registryFor(accept: string | undefined): AnyRegistry {
  if (accept?.includes("application/openmetrics-text") !== true) return new Registry();
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  return registry;
}

type Labels = Readonly<Record<string, string>>;

/** The metrics of one scrape; each is created with its first value. An unknown figure has no value. */
class Metrics {
  readonly #registry: AnyRegistry;
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<string, Counter>();

  constructor(registry: AnyRegistry) {
    this.#registry = registry;
  }

  gauge(name: string, help: string, value: number | null, labels: Labels): void {
    if (value === null || !Number.isFinite(value)) return;
    let gauge = this.#gauges.get(name);
    if (gauge === undefined) {
      gauge = new Gauge({
        name: `${PREFIX}${name}`,
        help,
        labelNames: Object.keys(labels),
        registers: [this.#registry],
      });
      this.#gauges.set(name, gauge);
    }
    gauge.set(labels, value);
  }

  /** `name` ends with `_total`. */
  counter(name: string, help: string, value: number, labels: Labels): void {
    let counter = this.#counters.get(name);
    if (counter === undefined) {
      const labelNames = Object.keys(labels);
      counter = new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers: [this.#registry] });
      this.#counters.set(name, counter);
    }
    counter.inc(labels, value);
  }
}

function addRun(metrics: Metrics, snapshot: Snapshot, runId: string): void {
  const run = { run: runId };
  const { name, host } = snapshot;
  metrics.gauge("run_info", "Always 1; its labels say what the run is called and where it reads.", 1, {
    ...run,
    name: name ?? "",
    source: host ?? "",
  });
  addState(metrics, snapshot, run);
  addEvents(metrics, snapshot, run);
  addProgress(metrics, snapshot, run);
  addResources(metrics, snapshot, run);
}

function addState(metrics: Metrics, snapshot: Snapshot, run: Labels): void {
  for (const status of RUN_STATUSES)
    metrics.gauge(
      "run_status",
      "1 for the state that the run is in, 0 for the others.",
      is(snapshot.status === status),
      {
        ...run,
        status,
      },
    );
  for (const level of LEVELS)
    metrics.gauge(
      "run_verdict",
      "1 for the level of the run's verdict, 0 for the others.",
      is(snapshot.verdict.level === level),
      {
        ...run,
        level,
      },
    );
  metrics.gauge("source_unreachable", "1 while the reader cannot read.", is(snapshot.outage !== null), run);
  metrics.gauge(
    "waiting",
    "1 while batches wait for the database or for production.",
    is(snapshot.waiting !== null),
    run,
  );
  metrics.gauge("gaps", "Stretches that the source no longer had.", snapshot.gaps.length, run);
  if (snapshot.audit !== null) addAudit(metrics, snapshot.audit, run);
}

function addAudit(metrics: Metrics, audit: SnapshotAudit, run: Labels): void {
  const at = Date.parse(audit.at) / 1000;
  metrics.gauge("audit_timestamp_seconds", "When the last audit of the database ended, Unix time.", at, run);
  const { equal, behind, differing, unreachable, inactive } = audit;
  for (const [verdict, count] of Object.entries({ equal, behind, differing, unreachable, inactive }))
    metrics.gauge("audit_repositories", "Repositories of the last audit by its verdict.", count, { ...run, verdict });
  metrics.gauge(
    "audit_differing_ratio_max",
    "At most this share of all repositories differs, with 95 % confidence; no value if the last audit was no sample.",
    audit.confidence?.differing.share ?? null,
    run,
  );
}

function addEvents(metrics: Metrics, snapshot: Snapshot, run: Labels): void {
  metrics.counter("events_received_total", "Events of the windows that are applied.", snapshot.received, run);
  metrics.counter(
    "events_processed_total",
    "Events handed to the database, stale ones included.",
    snapshot.processed,
    run,
  );
  for (const [reason, count] of Object.entries(snapshot.skipped))
    metrics.counter("events_skipped_total", "Events that the filters left out.", count, { ...run, reason });
  for (const [reason, count] of Object.entries(snapshot.deadReasons))
    metrics.gauge("events_dead", "Dead events; fewer after a redrive.", count, { ...run, reason });
  const { allowedRatePerSecond } = snapshot;
  metrics.gauge("allowed_events_per_second", "The pace; no value without pacing.", allowedRatePerSecond, run);
  metrics.gauge("back_off_factor", "By how much the pace is slowed down; 1: not at all.", snapshot.memory.backOff, run);
}

function addProgress(metrics: Metrics, snapshot: Snapshot, run: Labels): void {
  metrics.gauge("progress_ratio", "Part of the way that is done, by event time.", snapshot.progress, run);
  metrics.gauge("lag_seconds", "Age of the newest event that is applied.", snapshot.lagSeconds, run);
  metrics.gauge("eta_seconds", "Time until the run has caught up, about.", snapshot.etaSeconds, run);
  metrics.gauge("falls_off_seconds", "Time until the source drops what is read next.", snapshot.fallsOffInSeconds, run);
  const { lastTick } = snapshot;
  if (lastTick === null) return;
  const at = Date.parse(lastTick.at) / 1000;
  metrics.gauge("last_tick_timestamp_seconds", "When the last tick of the reader began, Unix time.", at, run);
  metrics.gauge("last_tick_duration_seconds", "How long it took.", lastTick.durationMs / 1000, run);
}

function addResources(metrics: Metrics, snapshot: Snapshot, run: Labels): void {
  const { queue, memory, consumers, pool } = snapshot;
  const states = {
    ready: queue.ready,
    in_flight: queue.inFlight,
    delayed: queue.delayed,
    dead_letter: queue.deadLetters,
  };
  for (const [state, count] of Object.entries(states))
    metrics.gauge("queue_messages", "Messages of the queue, and of the dead-letter queue.", count, { ...run, state });
  metrics.gauge("queue_oldest_age_seconds", "Age of the oldest message that is due.", queue.oldestAgeSeconds, run);
  metrics.gauge("memory_bytes", "Memory of the process (rss).", inBytes(memory.usedMb), run);
  metrics.gauge("memory_limit_bytes", "BACKFILL_MAX_MEMORY_MB.", inBytes(memory.limitMb), run);
  metrics.counter("memory_pauses_total", "How often memory was short.", memory.pauses, run);
  metrics.gauge("consumers_active", "Batches that are being applied.", consumers.active, run);
  metrics.gauge("consumers_max", "Batches that may be applied at once.", consumers.max, run);
  metrics.gauge("database_connections_used", "Connections to the database in use.", pool.used, run);
  metrics.gauge("database_connections_max", "Connections that the process may have.", pool.size, run);
}

function is(condition: boolean): number {
  return condition ? 1 : 0;
}

function inBytes(mb: number | null): number | null {
  return mb === null ? null : mb * BYTES_A_MB;
}
