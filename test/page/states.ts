/** The states of a run that a stranger has to recognise on the page, each as a snapshot that really has it. */
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import type { Snapshot } from "@firehose-backfill/status/snapshot";

/** A run that has no trouble, at this moment. */
export function healthy(different: Partial<Snapshot> = {}): Snapshot {
  return sampleSnapshot({ dead: 0, deadReasons: {}, ...different });
}

const AGO = "2026-03-01T05:12:00.000Z";

export interface State {
  readonly name: string;
  readonly snapshot: Snapshot;
  /** In the banner above everything. */
  readonly says: RegExp;
  /** What to do, in the same banner. */
  readonly advises: RegExp;
}

const LONG_REASON = `connect ECONNREFUSED 10.20.30.40:443, and then a word without any space ${"x".repeat(160)}`;

export const STATES: readonly State[] = [
  {
    name: "relay down",
    snapshot: healthy({
      ratePerSecond: null,
      etaSeconds: null,
      outage: { text: `relay.example:443 cannot be reached: ${LONG_REASON}`, since: AGO },
      errors: Array.from({ length: 5 }, (_, n) => ({
        at: `2026-03-01T11:5${n}:00.000Z`,
        source: "reader",
        message: LONG_REASON,
      })),
    }),
    says: /Relay\.example:443 cannot be reached.*since 2026-03-01 05:12:00 UTC/,
    advises: /look at the relay and at the network/i,
  },
  {
    name: "database down",
    snapshot: healthy({
      ratePerSecond: null,
      etaSeconds: null,
      waiting: { for: "database: connect ECONNREFUSED 10.20.30.40:5432", since: AGO },
    }),
    says: /Waiting: database: connect ECONNREFUSED.*since 2026-03-01 05:12:00 UTC/,
    advises: /look at the database/i,
  },
  {
    name: "process gone",
    snapshot: healthy({ stopped: true }),
    says: /process is gone/,
    advises: /firehose-backfill run/,
  },
  {
    name: "reader silent",
    snapshot: healthy({ lastTick: { at: AGO, durationMs: 3_000, endedBecause: "read-ahead full" } }),
    says: /no sign of the reader for/i,
    advises: /look at the process and its log/i,
  },
  {
    name: "memory held",
    snapshot: healthy({
      memory: { usedMb: 530, limitMb: 512, pauses: 4, lastPauseAt: "2026-03-01T11:59:20.000Z", backOff: 4 },
    }),
    says: /memory is short/i,
    advises: /BACKFILL_MAX_MEMORY_MB/,
  },
  {
    name: "dead events",
    snapshot: sampleSnapshot(),
    says: /3 of 26,953 events are dead/,
    advises: /firehose-backfill dead.*fix the cause.*redrive/,
  },
  {
    name: "clamped start",
    snapshot: healthy({
      asked: { days: 30, from: "2026-01-30T09:00:00.000Z" },
      gaps: [
        {
          from: { seq: 0, time: "2026-01-30T09:00:00.000Z" },
          to: { seq: 4_100_000, time: "2026-02-26T09:00:00.000Z" },
          host: "relay.example:443",
          reason: "before what the host keeps",
        },
      ],
    }),
    says: /less than was asked for: the relay keeps less/,
    advises: /listed below/,
  },
  {
    name: "paused by somebody else",
    snapshot: healthy({
      status: "paused",
      reason: "paused by the operator",
      ratePerSecond: null,
      etaSeconds: null,
      actions: [
        { at: "2026-03-01T09:00:00.000Z", what: "start", by: "command", detail: "" },
        { at: "2026-03-01T11:30:00.000Z", what: "pause", by: "page", detail: "" },
      ],
    }),
    says: /Paused by the operator on the page, since 2026-03-01 11:30:00 UTC/,
    advises: /firehose-backfill resume/,
  },
];
