/** What is dead goes through the queue and the pace again, and the counters say what became of it; the sink is made up. */
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import { isRetryable } from "@firehose-backfill/core/errors";
import { QueueError } from "@firehose-backfill/queue/queue-error";
import type { MoveLimits } from "@firehose-backfill/queue/types";
import { quietConsumer } from "@firehose-backfill/testing/backfill/consumer";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { recordEvent } from "@firehose-backfill/testing/queue/batches";
import type { ClaimedEvent, DeadEvent, DeadEvents, FailedRepository } from "@firehose-backfill/sink/dead-events";
import type { SinkRow } from "@firehose-backfill/sink/rows";
import type { ApplyOptions, ConsumerSink } from "@firehose-backfill/sink/sink";
import { cursorAt } from "@firehose-backfill/source/cursor";
import { expect, test, vi } from "vitest";
import { applyMessage } from "./apply-message.ts";
import type { MessageResult } from "./message-result.ts";
import { newRun } from "./new-run.ts";
import type { DiscardWhich } from "./control-event.ts";
import { discardAndSay } from "./discard.ts";
import { LettersStayError, redriveDead, redriveOne } from "./redrive.ts";

const AT = "2026-03-01T00:00:00.000Z";

/** A run of a batch of two events each 10 s, in whose totals five events are dead; and its `dead_events`. */
/** Of a dead event that is a whole repository. */
const WHOLE_REPOSITORY = {
  seq: 0,
  path: null,
  reason: "host-dead",
  error: "no answer",
  payload: new Uint8Array(),
  createdAt: AT,
  redrivenAt: null,
  appliedAt: null,
  appliedBy: null,
  eventBytes: null,
  event: null,
} as const;

async function setUp() {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock, random: () => 0.5, encode: true });
  const settings = { BACKFILL_BATCH_SIZE: "2", BACKFILL_BATCH_DELAY_MS: "10000", BACKFILL_VERIFY: "structure" };
  const { runId } = await store.createRun(newRun(parseConfig(settings), { runId: "run", nowMs: clock.now() }));
  const acquired = await store.acquireLease(runId, { owner: "reader", ttlMs: 1e9, nowMs: clock.now() });
  if (acquired === null) throw new Error("no lease");
  const at = cursorAt(9, clock.now());
  const { lease } = acquired;
  await store.transition(runId, ["enqueued"], "running", {});
  const window = {
    runId,
    generation: 1,
    number: 1,
    fence: lease.fence,
    from: null,
    to: at,
    batches: 0,
    events: 0,
    bytes: 0,
  };
  await store.putWindow(lease, { ...window, sentAtMs: clock.now(), received: 5, skipped: {} });
  await store.moveCursor(lease, {
    window: 1,
    generation: 1,
    readerCursor: at,
    startPosition: at,
    sourceState: null,
    target: null,
    keptSinceMs: null,
  });
  const add = { received: 5, processed: 0, stale: 0, dead: 5, deadReasons: { "database-23514": 5 }, skipped: {} };
  await store.moveApplied(lease, {
    generation: 1,
    appliedWindowBefore: 0,
    appliedWindow: 1,
    appliedCursor: at,
    lastFinishedAtMs: clock.now(),
    add,
  });

  const dead = new Map<string, { event: FirehoseEvent; by: string | null; claimedMs: number }>();
  for (let n = 1; n <= 5; n += 1)
    dead.set(`id-${n}`, {
      event: recordEvent(n, { cid: null, record: null, action: "delete" }),
      by: null,
      claimedMs: -1,
    });
  const failed: FailedRepository[] = [];
  const handed: string[] = [];
  const reasonOf = (id: string) => (id === "id-4" ? "float" : "database-23514");
  const openDeadEvents = (): DeadEvents => ({
    async claim({ sinceMs, nowMs, limit, id: only, reason }) {
      const next = [...dead]
        .filter(([id, { by, claimedMs }]) => by === null && claimedMs < sinceMs && (only ?? id) === id)
        .filter(([id]) => reason === undefined || reasonOf(id) === reason)
        .slice(0, limit);
      return next.map(([id, row]): ClaimedEvent => {
        row.claimedMs = nowMs;
        return { id, runId, reason: reason ?? "database-23514", event: row.event };
      });
    },
    countUntriable: () => Promise.resolve(2),
    list: async ({ id }) => {
      const wholes = failed.map((each): DeadEvent => ({
        ...each,
        ...WHOLE_REPOSITORY,
        appliedAt: handed.includes(each.id) ? AT : null,
      }));
      const events = [...dead].map(([each, { event, by }]): DeadEvent => ({
        ...WHOLE_REPOSITORY,
        id: each,
        runId,
        seq: event.seq,
        did: event.did,
        reason: "database-23514",
        error: "refused",
        appliedAt: by === null ? null : AT,
        appliedBy: by,
        eventBytes: each === "id-5" ? null : 9,
      }));
      return [...wholes, ...events].filter((each) => each.id === id);
    },
    countByReason: () => Promise.resolve({}),
    async discard({ id }) {
      const gone = [...dead].filter(([each, { by }]) => by === null && (id ?? each) === each);
      for (const [each] of gone) dead.delete(each);
      return gone.length === 0 ? {} : { [runId]: gone.length };
    },
    async failedRepositories({ runId: ofRun, limit }) {
      const open = failed.filter(({ id, runId: its }) => !handed.includes(id) && (ofRun ?? its) === its);
      return open.slice(0, limit);
    },
    async handOver(ids) {
      handed.push(...ids);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });

  const applied: {
    atMs: number;
    request: Pick<ApplyOptions, "lock" | "deadEventIds"> & { readonly rows: readonly SinkRow[] };
  }[] = [];
  /** Event 3 stays bad. */
  const sink: ConsumerSink = {
    async apply(key, rows, options) {
      applied.push({ atMs: clock.now(), request: { rows, ...options } });
      const ids = options.deadEventIds ?? [];
      const batch = JSON.stringify(key);
      const good = ids.map((id) => dead.get(id)).filter((row) => row !== undefined && row.event.seq !== 3);
      const revived = good.filter((row) => row?.by === null || row?.by === batch);
      for (const row of revived) if (row !== undefined) row.by = batch;
      const still = ids.length - revived.length;
      const deadReasons = still === 0 ? {} : { "database-23514": still };
      return {
        kind: "applied",
        counts: { applied: revived.length, stale: 0, dead: still, deadReasons },
        durationMs: 1,
      };
    },
    health: async () => ({ kind: "healthy" }),
    pool: () => ({ used: 0, size: 1 }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const consumer = quietConsumer({ clock, store, queue, sink });
  const results: MessageResult[] = [];
  /** Everything that is in the queue, until it is empty; a second goes by between two looks. */
  const consume = async () => {
    for (let look = 0; look < 300; look += 1) {
      for (const message of await queue.receive({ max: 10, waitSeconds: 0 }))
        results.push(await applyMessage(consumer, message, { signal: new AbortController().signal }));
      const { ready, inFlight, delayed } = await queue.figures();
      if (ready + inFlight + delayed === 0) return;
      await clock.advance(1_000);
    }
    throw new Error("the queue does not get empty");
  };
  const redrive = (which = {}) => redriveDead({ store, queue, clock, openDeadEvents }, which);
  const redriveId = (id: string) => redriveOne({ store, queue, clock, openDeadEvents }, id);
  const discard = (which: DiscardWhich) => discardAndSay({ store, openDeadEvents }, which);
  const totals = async () => (await store.getRun(runId))?.totals;
  return {
    clock,
    store,
    queue,
    runId,
    dead,
    failed,
    handed,
    applied,
    results,
    consume,
    redrive,
    redriveId,
    discard,
    totals,
    consumer,
  };
}

test("issue 17.4: of one reason alone: those events go again, and no dead letter is touched", async () => {
  const { redrive, consume, dead, queue } = await setUp();
  const letters = vi.spyOn(queue, "redrive");
  expect(await redrive({ reason: "float" })).toMatchObject({ deadLetters: 0, lettersLeft: 0, deadEvents: 1 });
  await consume();
  expect([...dead].flatMap(([id, { by }]) => (by === null ? [] : [id]))).toEqual(["id-4"]);
  expect(letters).not.toHaveBeenCalled();
});

test("dead events go again, each batch at a slot of its own, and what is applied is dead no more", async () => {
  const { redrive, consume, applied, results, totals, clock, store, runId } = await setUp();
  const startMs = clock.now();
  expect(await redrive()).toEqual({
    deadLetters: 0,
    lettersLeft: 0,
    deadEvents: 5,
    untriable: 2,
    repositories: { requested: 0, left: 0, tooLong: 0 },
    abandoned: 0,
  });
  await consume();
  expect(await totals()).toMatchObject({ received: 5, processed: 4, dead: 1, deadReasons: { "database-23514": 1 } });
  expect(results.filter(({ kind }) => kind === "applied")).toHaveLength(3);
  expect(applied.map(({ request }) => request.rows.map((row) => (row.kind === "range" ? null : row.seq)))).toEqual([
    [1, 2],
    [3, 4],
    [5],
  ]);
  // Two events take 10 s of the pace.
  expect(applied.map(({ atMs }) => Math.round((atMs - startMs) / 10_000))).toEqual([0, 1, 2]);
  expect((await store.getRun(runId))?.plannedDueMs).toBeGreaterThanOrEqual(startMs + 25_000);
});

test("redriven twice, also while the first is in flight, each counts once; later what stayed dead may go again", async () => {
  const { redrive, consume, totals, dead, clock } = await setUp();
  const before = clock.now();
  await Promise.all([redrive(), redrive()]);
  await clock.advance(1_000);
  // The second of them: all five are claimed again before anything is applied.
  expect(await redrive()).toMatchObject({ deadEvents: 5 });
  await consume();
  expect(await totals()).toMatchObject({ received: 5, processed: 4, dead: 1, deadReasons: { "database-23514": 1 } });
  expect([...dead.values()].filter(({ by }) => by === null).map(({ event }) => event.seq)).toEqual([3]);
  expect(clock.now()).toBeGreaterThan(before);
  expect(await redrive()).toMatchObject({ deadEvents: 1 });
  await consume();
  expect(await totals()).toMatchObject({ processed: 4, dead: 1 });
});

test("a message that comes twice is dropped; one whose entry is gone changes nothing", async () => {
  const { redrive, queue, consume, consumer, totals, applied } = await setUp();
  await redrive();
  const copies = await queue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 0 });
  await consume();
  const times = applied.length;
  for (const message of copies) {
    const { kind, because } = await applyMessage(consumer, message, { signal: new AbortController().signal });
    expect([kind, because]).toEqual(["dropped", "already applied"]);
  }
  expect(applied).toHaveLength(times);
  expect(await totals()).toMatchObject({ processed: 4, dead: 1 });
});

test("issue 12.5: a redrive packs to what the queue takes; where that is next to nothing, it changes nothing and says so", async () => {
  const { redrive, queue, consume, totals } = await setUp();
  const takes = (bytes: number) => {
    queue.readLimits = () => Promise.resolve({ declaredBytes: bytes, maxMessageBytes: bytes });
  };
  takes(34 * 1024);
  await expect(redrive()).rejects.toThrow(/takes only 34816 bytes a message: set MaximumMessageSize=1048576/);
  expect(await totals()).toMatchObject({ processed: 0, dead: 5 });
  takes(40 * 1024);
  expect(await redrive()).toMatchObject({ deadEvents: 5 });
  await consume();
  expect(await totals()).toMatchObject({ processed: 4, dead: 1 });
});

test.each([
  [
    "the queue's server is busy",
    new QueueError("ReceiveMessage", Object.assign(new Error("busy"), { $fault: "server" })),
    true,
  ],
  ["a right is missing", new QueueError("ReceiveMessage", new Error("AccessDenied")), false],
])("issue 18.1: dead events are tried whatever the letters' answer is: %s", async (_, refusal, isTransient) => {
  const { redrive, queue, consume, totals } = await setUp();
  const moveLetters = queue.redrive.bind(queue);
  queue.redrive = () => Promise.reject(refusal);
  const failed = await redrive().catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(LettersStayError);
  expect(String(failed)).toMatch(
    /not all dead letters could be moved back: .*ReceiveMessage.*; 5 dead events are back/,
  );
  expect(isRetryable(failed)).toBe(isTransient);
  await consume();
  expect(await totals()).toMatchObject({ processed: 4, dead: 1 });

  queue.redrive = moveLetters;
  expect(await redrive()).toMatchObject({ deadLetters: 0, deadEvents: 1 });
});

test("issue 18.1: letters are moved though there is no way to the dead events, and how many are left is told", async () => {
  const { store, queue, clock } = await setUp();
  const limits: MoveLimits[] = [];
  queue.redrive = (given) => {
    limits.push(given);
    return Promise.resolve({ moved: 3, left: 2 });
  };
  const openDeadEvents = (): DeadEvents => {
    throw new Error("the database is away");
  };
  await expect(redriveDead({ store, queue, clock, openDeadEvents })).rejects.toThrow("the database is away");
  // Well within the minute that the control function has.
  expect(limits).toEqual([{ max: 10_000, withinMs: 25_000 }]);
  expect(await redriveDead({ store, queue, clock })).toMatchObject({ deadLetters: 3, lettersLeft: 2, deadEvents: 0 });
});

test("a new generation does not void them; a cancelled run's are left alone", async () => {
  const { redrive, store, runId, consume, totals, clock } = await setUp();
  await redrive();
  const cursor = (await store.getRun(runId))?.appliedCursor ?? null;
  expect(await store.newGeneration(runId, { generationBefore: 1, cursor, nowMs: clock.now() })).not.toBeNull();
  await consume();
  expect(await totals()).toMatchObject({ processed: 4, dead: 1 });
  await clock.advance(1_000);
  await store.transition(runId, ["running"], "cancelling", {});
  expect(await redrive()).toMatchObject({ deadEvents: 0, abandoned: 1 });
});

test("issue 17.4: one dead event goes again alone, and is counted once; each that cannot says why", async () => {
  const { redriveId, consume, totals, applied, store, runId } = await setUp();
  expect((await redriveId("id-2")).run.runId).toBe(runId);
  await consume();
  expect(applied.map(({ request }) => request.deadEventIds)).toEqual([["id-2"]]);
  expect(await totals()).toMatchObject({ processed: 1, dead: 4 });
  await expect(redriveId("id-2")).rejects.toThrow("dead event id-2 was applied at 2026-03-01T00:00:00.000Z");
  await expect(redriveId("id-5")).rejects.toThrow("no complete event was received");
  await expect(redriveId("id-9")).rejects.toThrow("no dead event has the id id-9");
  await store.transition(runId, ["running"], "cancelling", {});
  await expect(redriveId("id-1")).rejects.toThrow(`its run ${runId} is cancelling`);
  expect(applied).toHaveLength(1);
});

test("issue 17.4: discarding leaves the counts of the run, and says so", async () => {
  const { discard, redrive, consume, totals, dead } = await setUp();
  expect(await discard({ id: "id-1" })).toMatchObject({
    message: "1 dead event is discarded, of run run; the counts of the run stay, because the events were dead",
    discarded: { run: 1 },
  });
  await expect(discard({ id: "id-1" })).rejects.toThrow("no dead event has the id id-1");
  expect(await totals()).toMatchObject({ processed: 0, dead: 5 });
  await redrive();
  await consume();
  expect(await totals()).toMatchObject({ processed: 3, dead: 2 });
  await expect(discard({ id: "id-2" })).rejects.toThrow("was applied at");
  expect(await discard({ all: true })).toMatchObject({ discarded: { run: 1 } });
  expect([...dead.keys()]).toEqual(["id-2", "id-4", "id-5"]);
  await expect(discard({ all: true, run: "other" })).rejects.toThrow("no run has the id or the name other");
});

test("issue 15.5: a repository that could not be read is requested to be read anew, before its dead event is closed", async () => {
  const { redrive, failed, handed, store, runId, clock } = await setUp();
  const did = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa";
  const other = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb";
  failed.push({ id: "f1", runId, did }, { id: "f2", runId, did }, { id: "f3", runId, did: other });
  const paceId = (await store.getRun(runId))?.paceId ?? "";
  const requestResync = store.requestResync.bind(store);
  store.requestResync = async (...given) => {
    expect(handed).toEqual([]);
    return await requestResync(...given);
  };
  expect(await redrive()).toMatchObject({ repositories: { requested: 2, left: 0 }, abandoned: 0 });
  expect((await store.listResyncs(paceId, 10)).first).toMatchObject([
    { did, reason: "failed", rev: null, atMs: clock.now() },
    { did: other, reason: "failed" },
  ]);
  expect(handed.toSorted()).toEqual(["f1", "f2", "f3"]);
  store.requestResync = requestResync;
  // It is there already, so a redrive after a crash between the two closes the dead event.
  failed.push({ id: "f4", runId, did });
  expect(await redrive()).toMatchObject({ repositories: { requested: 1, left: 0 } });
  expect(handed).toContain("f4");
  expect((await store.listResyncs(paceId, 10)).count).toBe(2);
  // No link that comes later says that the repository was read.
  await store.withdrawResync(paceId, did);
  expect((await store.listResyncs(paceId, 10)).count).toBe(2);
});

test("issue 15.5: of thousands that could not be read, those that were requested are closed, even if the redrive ends in between", async () => {
  const { redrive, failed, handed, store, runId } = await setUp();
  const didOf = (n: number): string => `did:plc:${String(n).padStart(24, "a")}`;
  for (let n = 0; n < 500; n += 1) failed.push({ id: `f${n}`, runId, did: didOf(n) });
  const requestResync = store.requestResync.bind(store);
  let requests = 0;
  store.requestResync = async (...given) => {
    requests += 1;
    // As a function whose time is over.
    if (requests === 300) throw new Error("killed");
    return await requestResync(...given);
  };
  await expect(redrive()).rejects.toThrow("killed");
  const before = handed.length;
  expect(before).toBeGreaterThan(150);
  // The next redrive goes on there.
  expect(await redrive()).toMatchObject({ repositories: { requested: 500 - before, left: 0 } });
  expect(new Set(handed).size).toBe(500);
});

test("issue 15.5: one failed repository is redriven by the id of its dead event", async () => {
  const { redriveId, failed, handed, store, runId } = await setUp();
  failed.push({ id: "f1", runId, did: "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa" });
  failed.push({ id: "f2", runId, did: "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb" });
  expect(await redriveId("f2")).toMatchObject({ repository: "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb" });
  expect(handed).toEqual(["f2"]);
  const run = await store.getRun(runId);
  expect((await store.listResyncs(run?.paceId ?? "", 10)).first).toHaveLength(1);
  await expect(redriveId("f2")).rejects.toThrow("was applied at");
});

test("issue 15.5: a dead event stays where no further request is stored, or its run is cancelled or not known", async () => {
  const { redrive, redriveId, failed, handed, store, runId } = await setUp();
  failed.push({ id: "f1", runId, did: "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa" });
  failed.push({ id: "f2", runId: "unknown", did: "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb" });
  store.requestResync = async () => "full";
  expect(await redrive()).toMatchObject({ untriable: 0, repositories: { requested: 0, left: 1 }, abandoned: 1 });
  await expect(redriveId("f1")).rejects.toThrow("as many repositories as possible");
  await expect(redriveId("f2")).rejects.toThrow("is not known");
  store.requestResync = async () => "bad-did";
  expect(await redrive()).toMatchObject({ repositories: { requested: 0, left: 0, tooLong: 1 } });
  await expect(redriveId("f1")).rejects.toThrow("its DID is too long");
  expect(handed).toEqual([]);
});
