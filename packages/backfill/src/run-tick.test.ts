/** Ticks with runs that nobody began, such as a resync: what they do to the others. */
import { RESYNC_RUN } from "@firehose-backfill/checkpoint/run";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { cursorAt } from "@firehose-backfill/source/cursor";
import { SurveyError } from "@firehose-backfill/source/survey";
import type { EventSource, Window, WindowLimits } from "@firehose-backfill/source/window";
import { quietConsumer } from "@firehose-backfill/testing/backfill/consumer";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { expect, test } from "vitest";
import type { ReaderDeps } from "./deps.ts";
import { newRun } from "./new-run.ts";
import { runTick } from "./run-tick.ts";

const DID = `did:plc:${"a".repeat(24)}`;

/** There is nothing to read. */
function emptySource(): EventSource {
  const to = cursorAt(1, null);
  return {
    readWindow: async () => ({
      events: EventLog.of([]),
      received: 0,
      skipped: {},
      units: 1,
      unknown: 0,
      to,
      first: to,
      state: null,
      keptSinceMs: null,
      startKeptSinceMs: null,
      gaps: [],
      verdict: { kind: "end", word: "done" },
    }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function setUp(more: Partial<ReaderDeps> = {}) {
  const clock = new VirtualClock(Date.UTC(2026, 5, 1));
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock, random: () => 0.5, encode: true });
  const kit = { open: emptySource, survey: () => Promise.reject(new SurveyError("made up")) };
  const lines: string[] = [];
  const deps: ReaderDeps = {
    clock,
    random: () => 0.5,
    store,
    queue,
    sources: { relay: kit, repos: kit, handles: kit },
    memory: quietConsumer({ clock, store, queue }).memory,
    timing: {
      tickMs: 60_000,
      tickBudgetMs: 50_000,
      leastReadAheadMs: 0,
      leaseTtlMs: 150_000,
      lostAfterMs: 180_000,
      lookAgainMs: 60_000,
    },
    offPeak: null,
    limits: null,
    owner: "test",
    log: (line) => void lines.push(line),
    ...more,
  };
  const begin = (runId: string, env: Readonly<Record<string, string>>, name?: string) =>
    store.createRun(newRun(parseConfig(env), { runId, nowMs: clock.now(), ...(name === undefined ? {} : { name }) }));
  const { signal } = new AbortController();
  const tick = (its: Partial<ReaderDeps> = {}) => runTick({ ...deps, ...its }, { signal, firstRuns: null });
  return { clock, store, lines, begin, tick };
}

const RESYNC = { BACKFILL_SOURCE: "repos", BACKFILL_DIDS: DID };

test("issue 16.2: a served request that cannot be removed now does not hide that its run has succeeded; the next look removes it", async () => {
  const { clock, store, lines, begin, tick } = setUp();
  const { paceId } = await begin("run", RESYNC, RESYNC_RUN);
  await store.requestResync(paceId, { did: DID, reason: "operator", rev: null, atMs: clock.now() });
  await store.takeResyncs(paceId, { dids: [DID] }, "run");
  const busy = { ...store, endResync: () => Promise.reject(new Error("the table is too busy")) };
  const statuses: string[] = [];
  for (let ticks = 0; ticks < 5 && statuses.at(-1) !== "succeeded"; ticks += 1) {
    const { runs } = await tick({ store: busy });
    statuses.push(...runs.map(({ run }) => run.status));
  }
  expect(statuses.at(-1)).toBe("succeeded");
  expect(lines.join("\n")).toContain("the table is too busy");
  expect((await store.listResyncs(paceId, 1)).count).toBe(1);
});

test("issue 12.2: filters that are deployed anew are said of the run that was configured, whatever runs beside it, and of no other one", async () => {
  const was = { RELAY_URL: "wss://relay.example", BACKFILL_COLLECTIONS: "app.bsky.feed.post" };
  const deployed = parseConfig({ ...was, BACKFILL_COLLECTIONS: "app.bsky.feed.like" });
  const saidOf = async ({ store }: ReturnType<typeof setUp>, runId: string) =>
    (await store.listErrors(runId)).map(({ message }) => message).join();
  const several = setUp({ deployed });
  await several.begin("resync", RESYNC, RESYNC_RUN);
  await several.begin("main", was);
  await several.begin("handles", { BACKFILL_SOURCE: "handles" });
  await several.tick();
  expect(await saidOf(several, "main")).toContain("BACKFILL_COLLECTIONS is app.bsky.feed.like, the run has app.bsky");
  for (const runId of ["resync", "handles"]) expect(await saidOf(several, runId)).toBe("");

  const alone = setUp({ deployed });
  await alone.begin("resync", RESYNC, RESYNC_RUN);
  await alone.tick();
  expect(await saidOf(alone, "resync")).toBe("");
});

test("a run whose source this program does not know fails alone: the others are read", async () => {
  const { store, begin, tick } = setUp();
  const kit = { open: emptySource, survey: () => Promise.reject(new SurveyError("made up")) };
  await begin("unknown", { BACKFILL_SOURCE: "handles" });
  await begin("known", { RELAY_URL: "wss://relay.example" });
  const { runs } = await tick({ sources: { relay: kit, repos: kit } });
  expect(runs.map(({ run, failure }) => [run.runId, failure === undefined])).toEqual([
    ["unknown", false],
    ["known", true],
  ]);
  expect((await store.getRun("known"))?.readerCursor).not.toBeNull();
  expect((await store.listErrors("unknown")).map(({ message }) => message).join()).toContain(
    'the run reads a source of the kind "handles", and this program knows relay, repos',
  );
});

test.each([
  ["5", 4_000],
  ["500", 10_000],
  ["1000", 20_000],
])("issue 19.3: without a pace a window of batches of %s takes up to %i events", async (batchSize, most) => {
  const asked: number[] = [];
  const open = () => {
    const source = emptySource();
    return {
      ...source,
      readWindow: async (limits: WindowLimits, signal: AbortSignal) => {
        asked.push(limits.maxEvents);
        return source.readWindow(limits, signal);
      },
    };
  };
  const { begin, tick } = setUp();
  const kit = { open, survey: () => Promise.reject(new SurveyError("made up")) };
  await begin("unpaced", {
    RELAY_URL: "wss://relay.example",
    BACKFILL_BATCH_SIZE: batchSize,
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_MAX_CONCURRENT: "40",
  });
  await tick({ sources: { relay: kit, repos: kit, handles: kit } });
  // Of batches of 5, twenty for each consumer are read ahead.
  expect(asked).toEqual([most]);
});

test("issue 19.3: a window that was sent has read the run, and the look after it does not read it again", async () => {
  let windows = 0;
  const open = () => {
    const source = emptySource();
    return {
      ...source,
      readWindow: async (limits: WindowLimits, signal: AbortSignal): Promise<Window> => {
        windows += 1;
        const window = await source.readWindow(limits, signal);
        const to = cursorAt(windows, null);
        return windows < 11 ? { ...window, to, verdict: { kind: "more", isFull: false } } : { ...window, to };
      },
    };
  };
  let reads = 0;
  const store = createMemoryStore({ beforeCall: (name) => void (reads += name === "getMany" ? 1 : 0) });
  const { clock } = setUp();
  await store.createRun(
    newRun(parseConfig({ RELAY_URL: "wss://relay.example" }), { runId: "run", nowMs: clock.now() }),
  );
  const { tick } = setUp({ store, clock });
  const kit = { open, survey: () => Promise.reject(new SurveyError("made up")) };
  reads = 0;
  await tick({ sources: { relay: kit, repos: kit, handles: kit } });
  expect(windows).toBe(11);
  // Two for each window: after its cursor has moved, and for the move of the applied cursor, because these windows hold no batch.
  expect(reads).toBeLessThanOrEqual(2 * windows + 3);
});
