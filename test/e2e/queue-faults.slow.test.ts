/**
 * The queue misbehaves in every way that its answers allow, on a real one: entries refused, entries that an answer does
 * not name, throttling, answers that are lost. And records at the edge of what one message holds.
 */
import { randomFillSync } from "node:crypto";
import type { ConsumerDeps, ReaderDeps } from "@firehose-backfill/backfill/deps";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { runTick } from "@firehose-backfill/backfill/run-tick";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { type QueueServer, startQueueServer } from "@firehose-backfill/embedded/queue-server";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { relayKit } from "@firehose-backfill/firehose/kit";
import { createSqsClient } from "@firehose-backfill/queue/sqs-client";
import { createSqsQueue } from "@firehose-backfill/queue/sqs-queue";
import { intercept, isSendBatch } from "@firehose-backfill/testing/queue/intercept";
import { startConsumerLoop } from "@firehose-backfill/server/consumer-loop";
import { localReaderTiming } from "@firehose-backfill/server/reader-timing";
import type { SinkRow } from "@firehose-backfill/sink/rows";
import type { ConsumerSink } from "@firehose-backfill/sink/sink";
import { createEventCounter } from "@firehose-backfill/throttle/event-counter";
import { createLatencySignal } from "@firehose-backfill/throttle/latency-signal";
import type { MemoryGuard } from "@firehose-backfill/throttle/memory-guard";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seeded } from "../simulation/simulate.ts";
import { commitFrame } from "../support/make-frame.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { mixedFrames } from "../support/recordings.ts";

let folder: TemporaryFolder;
let server: QueueServer;
let runs = 0;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startQueueServer({ dataDir: `${folder.path}/queue`, visibilityTimeoutSeconds: 2 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** What a queue may do to a call; the first two, to one that sends. */
const FAULTS = ["refuse an entry", "forget an entry", "throttle", "lose the answer"] as const;
type Fault = (typeof FAULTS)[number];

interface Faulty {
  /** null: the call passes. */
  readonly next: (isSend: boolean) => Fault | null;
  readonly met: Record<Fault, number>;
}

interface Backfilled {
  readonly run: Run;
  readonly rows: readonly SinkRow[];
  readonly log: readonly string[];
}

async function backfill(frames: readonly Uint8Array[], faulty: Faulty | null): Promise<Backfilled> {
  await using relay = await startReplayRelay({ frames });
  const random = seeded(7);
  const client = createSqsClient({ endpoint: server.endpoint });
  if (faulty !== null) misbehave(client, faulty);
  const { queueUrl, dlqUrl } = server;
  await using queue = createSqsQueue({
    client,
    queueUrl,
    dlqUrl,
    countsBase64: true,
    clock: systemClock,
    random,
  });
  const store = createMemoryStore();
  // What the one before left in the queue, doubled by it, is none of this one's.
  runs += 1;
  const runId = `run-${runs}`;
  const config = parseConfig({ RELAY_URL: relay.url, BACKFILL_BATCH_DELAY_MS: "0", BACKFILL_BATCH_SIZE: "4" });
  await store.createRun(
    newRun(config, {
      runId,
      nowMs: Date.now(),
      start: { kind: "oldest" },
      end: { kind: "seq", seq: relay.log.headSeq },
    }),
  );
  const rows: SinkRow[] = [];
  const log: string[] = [];
  const stop = new AbortController();
  const shared = {
    clock: systemClock,
    random,
    store,
    queue,
    memory: CALM,
    log: (line: string) => void log.push(line),
  };
  const consumer: ConsumerDeps = {
    ...shared,
    sink: keeping(rows),
    relieveMemory: () => Promise.resolve(),
    latency: createLatencySignal(),
    waitLog: { lastSaid: null },
    memoryChecks: createEventCounter(() => 100),
    renewVisibility: null,
  };
  const consumers = startConsumerLoop(consumer, {
    signal: stop.signal,
    pollers: 2,
    limit: () => 2,
    currentRun: () => null,
    onResult: () => {},
  });
  const reader: ReaderDeps = {
    ...shared,
    sources: {
      relay: relayKit({ clock: shared.clock, random: shared.random, userAgent: "test", sampleRelayUrl: null }),
    },
    timing: localReaderTiming({ isSample: false }),
    offPeak: null,
    limits: null,
    owner: "test",
  };
  for (;;) {
    // A tick that the queue failed is told, and the next one reads the window again.
    const tick = await runTick(reader, { signal: stop.signal, firstRuns: null }).catch(() => null);
    if (tick?.runs[0]?.run.status === "succeeded") break;
    await systemClock.sleep(50);
  }
  stop.abort();
  await consumers.done;
  const run = await store.getRun(runId);
  if (run === null) throw new Error("the run is gone");
  return { run, rows, log };
}

function misbehave(client: ReturnType<typeof createSqsClient>, { next, met }: Faulty): void {
  intercept(client, async (call, pass) => {
    const fault = next(isSendBatch(call));
    if (fault === null) return await pass(call.input);
    met[fault] += 1;
    const entries = isSendBatch(call) ? (call.input.Entries ?? []) : [];
    switch (fault) {
      case "throttle":
        throw Object.assign(new Error("slow down"), { name: "ThrottlingException" });
      case "lose the answer":
        await pass(call.input);
        throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
      case "refuse an entry": {
        const [first, ...rest] = entries;
        const taken = rest.length === 0 ? {} : await pass({ ...call.input, Entries: rest });
        return { ...taken, Failed: [{ Id: first?.Id, Code: "InternalError", SenderFault: false }] };
      }
      case "forget an entry": {
        const taken: { readonly Successful?: readonly unknown[] } = await pass(call.input);
        return { ...taken, Successful: taken.Successful?.slice(1) };
      }
      default: {
        const unreachable: never = fault;
        throw new Error(`unknown fault ${String(unreachable)}`);
      }
    }
  });
}

function keeping(rows: SinkRow[]): ConsumerSink {
  return {
    async apply(_batch, given) {
      rows.push(...given);
      const dead = given.filter(({ kind }) => kind === "dead").length;
      return { kind: "applied", counts: { applied: given.length - dead, stale: 0, dead }, durationMs: 1 };
    },
    health: () => Promise.resolve({ kind: "healthy" }),
    pool: () => ({ used: 0, size: 2 }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const CALM: MemoryGuard = {
  usedMb: () => 100,
  limitMb: () => 512,
  isOverLimit: () => false,
  waitUntilUnder: () => Promise.resolve(0),
};

const nameOf = (row: SinkRow) =>
  row.kind === "record"
    ? `${row.seq} ${row.collection}/${row.rkey}`
    : `${row.kind === "range" ? null : row.seq} ${row.kind}`;

test("a queue that misbehaves at every other call: every event comes, each is counted once", async () => {
  const frames = mixedFrames().slice(0, 60);
  const quiet = await backfill(frames, null);
  const random = seeded(11);
  const met = { "refuse an entry": 0, "forget an entry": 0, throttle: 0, "lose the answer": 0 };
  let sends = 0;
  const next = (isSend: boolean): Fault | null => {
    if (isSend) return sends++ % 2 === 0 ? (FAULTS[(sends >> 1) % FAULTS.length] ?? null) : null;
    const draw = random();
    return draw < 0.1 ? "throttle" : draw < 0.2 ? "lose the answer" : null;
  };
  const { run, rows } = await backfill(frames, { next, met });
  for (const fault of FAULTS) expect(met[fault]).toBeGreaterThan(0);
  expect(new Set(rows.map(nameOf))).toEqual(new Set(quiet.rows.map(nameOf)));
  expect(run.totals).toEqual(quiet.run.totals);
  expect(run.totals).toMatchObject({ processed: run.totals.received, dead: 0, skipped: {} });
}, 120_000);

test("records at the edge: what fits when packed passes, what cannot fit is dead with its key and reason", async () => {
  const noise = (bytes: number) => randomFillSync(new Uint8Array(bytes));
  const write = (seq: number, rkey: string, record: unknown) =>
    commitFrame({
      seq,
      did: "did:plc:aliceaaaaaaaaaaaaaaaaaaa",
      rev: `3aaaaaaaaa${"abcdefgh".charAt(seq)}2a`,
      ops: [{ action: "create", path: `com.example.thing/${rkey}`, record }],
    });
  const frames = [
    write(1, "small", { n: 1 }),
    // 1,000,000 bytes of a block, heads and key included.
    write(2, "largest-text", { text: "a".repeat(1_000_000 - 11) }),
    write(3, "noise-that-fits", { bytes: noise(760_000) }),
    write(4, "largest-noise", { bytes: noise(1_000_000 - 12) }),
    write(5, "beyond-the-protocol", { text: "a".repeat(1_000_001) }),
    write(6, "last", { n: 6 }),
  ];
  const { run, rows } = await backfill(frames, null);
  expect(rows.filter(({ kind }) => kind === "record").map(nameOf)).toEqual(
    expect.arrayContaining(
      ["small", "largest-text", "noise-that-fits", "last"].map((rkey) => expect.stringMatching(rkey)),
    ),
  );
  const dead = rows.flatMap((row) => (row.kind === "dead" ? [row] : []));
  expect(dead.map(({ seq, path, reason }) => ({ seq, path, reason })).toSorted((a, b) => a.seq - b.seq)).toEqual([
    { seq: 4, path: "com.example.thing/largest-noise", reason: "too-large" },
    { seq: 5, path: "com.example.thing/beyond-the-protocol", reason: "record-too-large" },
  ]);
  expect(dead.find(({ seq }) => seq === 4)?.payload.length).toBe(16 * 1024);
  expect(run.totals).toMatchObject({ received: 6, processed: 4, dead: 2 });
}, 120_000);
