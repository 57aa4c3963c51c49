/** A start by time, on the sample relay and on a long log of real frames: found, and nothing lost against reading all of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { runTick } from "@firehose-backfill/backfill/run-tick";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { startSampleRelay } from "@firehose-backfill/embedded/relay-server";
import { compileFilter } from "@firehose-backfill/firehose/filter";
import { openFirehoseReader } from "@firehose-backfill/firehose/reader";
import { seekCursor, type SeekResult } from "@firehose-backfill/firehose/seek";
import type { ReadPosition } from "@firehose-backfill/firehose/types";
import { relayKit } from "@firehose-backfill/firehose/kit";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { expect, test } from "vitest";
import { mixedFrames } from "./support/recordings.ts";

const HOUR_MS = 3_600_000;
const never = new AbortController().signal;
const common = { clock: systemClock, random: Math.random, userAgent: "test" };

function seek(url: string, startTimeMs: number): Promise<SeekResult> {
  const limits = { spacingMs: 0, listenMs: 300 };
  return seekCursor({ url, startTimeMs, ...common, limits }, never);
}

test("the sample relay costs one look, and is read from its beginning", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "seek-"));
  try {
    await using relay = await startSampleRelay({ dataDir });
    const began = performance.now();
    const result = await seek(relay.url, Date.now() - 24 * HOUR_MS);
    expect(result).toMatchObject({ endedBecause: "oldest", from: null, isClamped: true, probes: 1 });
    expect(performance.now() - began).toBeLessThan(1_500);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

/** Sequence numbers of all events from a start on. */
async function read(url: string, position: Pick<ReadPosition, "start" | "startTimeMs" | "endSeq">) {
  await using reader = openFirehoseReader({
    url,
    position: {
      cursor: null,
      startReached: false,
      recentTimesMs: [],
      endTimeMs: Number.POSITIVE_INFINITY,
      hostSeen: false,
      brokenFrames: 0,
      ...position,
    },
    filter: compileFilter({ collections: [], dids: [] }),
    verify: "hash",
    isMemoryTight: () => false,
    ...common,
  });
  const limits = { maxEvents: 1e6, maxBytes: 1e9, maxReadBytes: 1e9, maxMs: 30_000, takeFirstWhole: true };
  const window = await reader.readWindow(limits, never);
  expect(window.endedBecause).toBe("caught-up");
  return { seqs: [...window.events].map(({ seq }) => seq), frames: window.frames };
}

test.each([
  ["a PDS", {}],
  ["the Go relay", { aboveHead: "live", belowWindow: "silent" }],
  ["rainbow", { aboveHead: "live", belowWindow: "silent", fromCursor: "at" }],
] as const)("a log of hours by the manners of %s, quiet at its head", async (_, manners) => {
  const copies = 30;
  const frames = mixedFrames();
  const log = resealedLog({ frames, copies, seed: "seek", firstTimeMs: Date.now() - 6 * HOUR_MS });
  await using relay = await startReplayRelay({ frames: log, ...manners });
  // Copies of six minutes, three hours in all: two hours after the beginning.
  const startTimeMs = Date.now() - 4 * HOUR_MS;
  const result = await seek(relay.url, startTimeMs);
  expect(result.endedBecause).toBe("found");
  expect(result.probes).toBeLessThan(20);
  if (result.from === null) throw new Error("nothing was found");
  expect(result.from.timeMs).toBeLessThan(startTimeMs);

  const scope = { startTimeMs, endSeq: log.headSeq };
  const sought = await read(relay.url, { start: { seq: result.from.seq }, ...scope });
  const whole = await read(relay.url, { start: "oldest", ...scope });
  expect(sought.seqs).toEqual(whole.seqs);
  expect(sought.seqs.length).toBeGreaterThan(1_000);
  expect(sought.frames).toBeLessThan(whole.frames);
});

test("a run by time reads from what was sought, and keeps what was learned", async () => {
  const log = resealedLog({ frames: mixedFrames(), copies: 30, seed: "run", firstTimeMs: Date.now() - 6 * HOUR_MS });
  await using relay = await startReplayRelay({ frames: log });
  const startTimeMs = Date.now() - 4 * HOUR_MS;
  const [store, lines] = [createMemoryStore(), [] as string[]];
  const config = parseConfig({ RELAY_URL: relay.url, BACKFILL_BATCH_SIZE: "500", BACKFILL_BATCH_DELAY_MS: "0" });
  const start = { kind: "time", timeMs: startTimeMs } as const;
  await store.createRun(
    newRun(config, { runId: "run", nowMs: Date.now(), start, end: { kind: "seq", seq: log.headSeq } }),
  );
  const tick = await runTick(
    {
      ...common,
      store,
      queue: createMemoryQueue(common),
      sources: {
        relay: relayKit({
          ...common,
          sampleRelayUrl: null,
          seekCursor: (options, signal) => seekCursor({ ...options, limits: { spacingMs: 0, listenMs: 300 } }, signal),
        }),
      },
      memory: {
        usedMb: () => 1,
        limitMb: () => 100,
        isOverLimit: () => false,
        waitUntilUnder: () => Promise.resolve(0),
      },
      timing: {
        tickMs: 60_000,
        tickBudgetMs: 50_000,
        leastReadAheadMs: 0,
        leaseTtlMs: 60_000,
        lostAfterMs: 180_000,
        lookAgainMs: 1,
      },
      offPeak: null,
      limits: null,
      owner: "test",
      log: (line) => lines.push(line),
    },
    { signal: never, firstRuns: null },
  );
  expect(lines).toMatchObject([expect.stringMatching(/^\[BACKFILL\] Start at .*: reading from seq \d+ .* looks$/)]);
  expect(tick.runs[0]?.run.startPosition?.ordinal).toBeGreaterThan(log.oldestSeq + 1_000);
  expect(tick.runs[0]?.run.startPosition?.timeMs).toBeLessThan(startTimeMs);
  expect(tick.runs[0]?.run.keptSinceMs).toBeLessThan(Date.now() - 5 * HOUR_MS);
});
