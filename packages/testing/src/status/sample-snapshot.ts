/** A factory of snapshots for tests and screenshots: a run in progress, and the changes that a test needs. */
import { buildSnapshot } from "../../../status/src/build-snapshot.ts";
import type { Course } from "@firehose-backfill/status/course";
import type { HistoryPoint } from "@firehose-backfill/status/history";
import type { Snapshot, SnapshotAudit } from "@firehose-backfill/status/snapshot";
import { type Judged, verdictOf } from "../../../status/src/verdict.ts";

const AT = "2026-03-01T12:00:00.000Z";

export function sampleSnapshot(different: Partial<Snapshot> = {}): Snapshot {
  const judged: Judged = {
    runId: "run-20260301-0900-k3",
    name: null,
    status: "running",
    reason: null,
    host: "relay.example:443",
    source: "relay",
    repos: null,
    hosts: [],
    profile: "background",
    asked: { days: 1, from: "2026-02-28T09:00:00.000Z" },
    startedAt: "2026-03-01T09:00:00.000Z",
    outage: null,
    waiting: null,
    settings: {
      BACKFILL_PROFILE: { value: "background", source: "default" },
      BACKFILL_BATCH_SIZE: { value: 5, source: "profile" },
      BACKFILL_BATCH_DELAY_MS: { value: 2000, source: "profile" },
      BACKFILL_MAX_CONCURRENT: { value: 2, source: "profile" },
      BACKFILL_MAX_MEMORY_MB: { value: 512, source: "profile" },
      BACKFILL_USE_IDLE: { value: true, source: "profile" },
      BACKFILL_DB_POOL_SIZE: { value: 2, source: "environment" },
      BACKFILL_DAYS: { value: 1, source: "flag" },
      BACKFILL_COLLECTIONS: { value: "app.bsky.feed.*", source: "environment" },
      DATABASE_URL: { value: "embedded Postgres", source: "default" },
    },
    received: 28_120,
    processed: 26_950,
    skipped: { collection: 830, did: 90, "before-start": 210 },
    dead: 3,
    deadReasons: { "nul-character": 2, "missing-block": 1 },
    ratePerSecond: 2.49,
    averageRatePerSecond: 2.48,
    allowedRatePerSecond: 2.5,
    cursor: {
      start: { seq: 4_100_000, time: "2026-02-28T09:00:00.000Z" },
      reader: { seq: 4_162_400, time: "2026-02-28T22:20:12.000Z" },
      applied: { seq: 4_161_900, time: "2026-02-28T22:00:00.000Z" },
      target: { seq: 4_215_000, time: "2026-03-01T09:00:00.000Z" },
    },
    lagSeconds: 50_400,
    progress: 0.5417,
    goal: { by: "time", from: "2026-02-28T09:00:00.000Z", to: "2026-03-01T09:00:00.000Z" },
    etaSeconds: 9_140,
    retentionSeconds: 259_200,
    fallsOffInSeconds: 209_000,
    queue: { ready: 1, inFlight: 2, delayed: 45, oldestAgeSeconds: 118, deadLetters: 0 },
    memory: { usedMb: 384.2, limitMb: 512, pauses: 0, lastPauseAt: null, backOff: 1 },
    consumers: { active: 1, max: 2 },
    pool: { used: 1, size: 2 },
    lastTick: { at: "2026-03-01T11:59:30.000Z", durationMs: 3_200, endedBecause: "read-ahead full" },
    nextTickAt: "2026-03-01T12:00:30.000Z",
    gaps: [],
    resyncs: { count: 0, done: 0, first: [] },
    audit: null,
    errors: [],
    tunes: [],
    actions: [],
    elapsedSeconds: 10_800,
    at: AT,
    ...different,
  };
  return { ...judged, verdict: different.verdict ?? verdictOf(judged) };
}

/** An audit of a sample that found nothing. */
export function sampleAudit(different: Partial<SnapshotAudit> = {}): SnapshotAudit {
  const { differing = 0, behind = 0 } = different;
  return {
    at: AT,
    by: "a run",
    repos: "sample",
    collections: null,
    equal: 300 - differing - behind,
    behind: 0,
    differing: 0,
    unreachable: 0,
    inactive: 0,
    records: { missing: 0, extra: 0, other: 0 },
    confidence: {
      level: 0.95,
      of: 41_200,
      isExact: true,
      sampled: 300,
      differing: { found: 0, atMost: 408, share: 408 / 41_200 },
      notEqual: { found: 0, atMost: 408, share: 408 / 41_200 },
    },
    first: [],
    ...different,
  };
}

/** A data folder without any run. */
export function sampleEmptySnapshot(): Snapshot {
  return buildSnapshot({
    run: null,
    openWindows: [],
    gaps: [],
    errors: [],
    consumers: [],
    queue: { ready: 0, inFlight: 0, delayed: 0, oldestAgeSeconds: null, deadLetters: 0 },
    rateSamples: [],
    settings: sampleSnapshot().settings,
    nowMs: Date.parse(AT),
  });
}

/** One point a minute, with a stall in the middle. */
export function sampleHistory(points = 180): readonly HistoryPoint[] {
  return Array.from({ length: points }, (_, index) => ({
    atMs: Date.parse(AT) - (points - index) * 60_000,
    ratePerSecond: index > 80 && index < 95 ? 0.4 : 2.45 + Math.sin(index / 3) * 0.05,
    allowedRatePerSecond: 2.5,
    lagSeconds: 90_000 - index * 200,
    memoryMb: 300 + Math.sin(index / 17) * 60 + (index % 7) * 4,
    depth: index > 80 && index < 110 ? 90 - Math.abs(95 - index) : 46 + (index % 5),
  }));
}

/** The course of the whole run, with marks close to each other and far apart. */
export function sampleCourse(): Course {
  const points = sampleHistory();
  const marks = [20, 22, 23, 90, 150].map((index, place) => ({
    number: place + 1,
    atMs: points[index]?.atMs ?? 0,
    kind: "state" as const,
    text: `paused, number ${place + 1}`,
  }));
  return { range: "all", points, marks };
}
