/**
 * What a relay's faults become for the run and for its operator: gaps are recorded, cursors that do not fit halt the run
 * and are kept, and only `resume --from` goes on. The reader is the real one, on a scripted relay.
 */
import { control } from "@firehose-backfill/backfill/control";
import type { ControlDeps } from "@firehose-backfill/backfill/control-deps";
import type { ReaderDeps } from "@firehose-backfill/backfill/deps";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { runTick } from "@firehose-backfill/backfill/run-tick";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { commitFrame, errorFrame, frame, infoFrame, timeOf } from "@firehose-backfill/testing/firehose/frames";
import { type ScriptedRelay, startRelay, type Visit } from "@firehose-backfill/testing/firehose/scripted-relay";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { retentionOf } from "@firehose-backfill/status/progress";
import { expect, test } from "vitest";
import { realReader } from "./support/real-reader.ts";

const RUN = "run";
const send = ({ socket }: Visit, from: number, to: number) => {
  for (let seq = from; seq <= to; seq += 1) socket.send(commitFrame({ seq }));
};

interface Begin {
  readonly after: number;
  /** Absent: the run ends where it catches up. */
  readonly to?: number;
  readonly createdAtMs?: number;
}

async function setUp(relay: ScriptedRelay, position: Begin) {
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock: systemClock, random: Math.random });
  const configure = (values: Readonly<Record<string, string>>) => parseConfig({ RELAY_URL: relay.url, ...values });
  const config = configure({ BACKFILL_BATCH_DELAY_MS: "0" });
  await store.createRun(
    newRun(config, {
      runId: RUN,
      nowMs: position.createdAtMs ?? Date.now(),
      start: { kind: "seq", seq: position.after },
      ...(position.to === undefined ? {} : { end: { kind: "seq", seq: position.to } }),
    }),
  );
  const log: string[] = [];
  const deps: ReaderDeps & ControlDeps = {
    ...realReader({ store, queue, log: (line) => void log.push(line) }),
    configure,
    allowRelayFromEvent: false,
  };
  return {
    log,
    store,
    tick: () => runTick(deps, { signal: new AbortController().signal, firstRuns: null }),
    /** What was sent is as good as applied here: it is not what these tests are about. */
    applyAll: async () => {
      for (const message of await queue.receive({ max: 10, waitSeconds: 0 })) {
        if (message.content.kind !== "batch") throw new Error(message.content.kind);
        const { key, events } = message.content.batch;
        const counts = { applied: events.length, stale: 0, dead: 0 };
        await store.finish(key, "applied", counts, { nowMs: Date.now(), redriven: false });
        await queue.remove(message.receiptHandle);
      }
    },
    resume: (from: string | null) => control(deps, { action: "resume", from }),
    run: async () => {
      const run = await store.getRun(RUN);
      if (run === null) throw new Error("no run");
      return run;
    },
  };
}

test("an outdated cursor: what the host no longer has is a gap with both ends, host and reason, and the run goes on", async () => {
  await using relay = await startRelay({
    onConnect: (visit) => {
      visit.socket.send(infoFrame("OutdatedCursor"));
      send(visit, 500, 503);
    },
  });
  const place = await setUp(relay, { after: 10, to: 503 });
  await place.tick();
  const [gap, ...more] = await place.store.listGaps(RUN);
  expect(more).toEqual([]);
  expect(gap).toMatchObject({ from: { ordinal: 10 }, to: { ordinal: 500 }, host: new URL(relay.url).host });
  expect(gap?.reason).toMatch(/outdated/);
  expect(place.log.join("\n")).toContain("Gap: the host no longer has 10 to 500");
  await place.applyAll();
  await place.tick();
  expect(await place.run()).toMatchObject({ status: "succeeded", totals: { received: 4, processed: 4 } });
});

test.each([
  [
    "is in the host's future, by its word",
    (visit: Visit) => {
      visit.socket.send(errorFrame("FutureCursor"));
      visit.socket.close(1008);
    },
    "the cursor is ahead of the host",
  ],
  ["is followed by lower numbers", (visit: Visit) => send(visit, 3, 3), "the host's sequence numbers went back"],
])("a cursor that %s halts the run and is kept; only resume --from goes on", async (_name, misfit, reason) => {
  await using relay = await startRelay({
    onConnect: (visit) => {
      if (visit.index === 1) return misfit(visit);
      if (visit.index === 0) send(visit, 11, 15);
      else send(visit, 1, 4);
      visit.socket.close(1001);
    },
  });
  const place = await setUp(relay, { after: 10, to: 100 });
  for (let ticks = 0; ticks < 4 && (await place.run()).status !== "paused"; ticks += 1) {
    await place.tick();
    await place.applyAll();
  }
  expect(await place.run()).toMatchObject({ status: "paused", reason, generation: 1, readerCursor: { ordinal: 15 } });
  const connections = relay.attempts();
  await place.tick();
  expect(relay.attempts()).toBe(connections);
  await expect(place.resume(null)).rejects.toThrow(/choose where to go on with --from/);
  expect((await place.resume("oldest")).run).toMatchObject({ status: "running", generation: 2, readerCursor: null });
});

/** As a relay with a log: each frame that is above the cursor. */
const serveLog =
  (log: readonly (readonly [seq: number, bytes: Buffer])[]) =>
  ({ cursor, socket }: Visit): void => {
    if (cursor === null) return;
    for (const [seq, bytes] of log) if (seq > Number(cursor)) socket.send(bytes);
  };
const claimed = (seq: number, says: number) => [says, commitFrame({ seq: says, timeMs: timeOf(seq) })] as const;
const logOf = (from: number, to: number, claims: Readonly<Record<number, number>> = {}) =>
  Array.from({ length: to - from + 1 }, (_, index) => claimed(from + index, claims[from + index] ?? from + index));

async function readToRest(place: Awaited<ReturnType<typeof setUp>>, mostTicks = 8): Promise<void> {
  const resting = new Set<string>(["paused", "succeeded", "errored"]);
  for (let ticks = 0; ticks < mostTicks && !resting.has((await place.run()).status); ticks += 1) {
    await place.tick();
    for (let batches = 0; batches < 20; batches += 1) await place.applyAll();
  }
}

test("fault 2: 150 frames, one with its number 1,000,000 too high: the other 149 arrive, and the run succeeds", async () => {
  await using relay = await startRelay({ onConnect: serveLog(logOf(1, 150, { 75: 1_000_075 })) });
  const place = await setUp(relay, { after: 0, to: 150 });
  await readToRest(place);
  expect(await place.run()).toMatchObject({
    status: "succeeded",
    readerCursor: { ordinal: 150 },
    target: { ordinal: 150 },
    totals: { received: 150 },
  });
});

// Side by side: each waits for 15 seconds in which the host is quiet.
test.concurrent.each(["oldest", "live", "3", new Date(timeOf(1)).toISOString()])(
  "fault 2: a host that begins anew pauses the run, and resume --from %s goes on",
  async (from) => {
    let isAnew = false;
    await using relay = await startRelay({
      onConnect: (visit) => {
        if (!isAnew) serveLog([...logOf(101, 120), ...logOf(1, 12)])({ ...visit, cursor: "0" });
        else if (visit.cursor === null) send(visit, 1, 20);
        else serveLog(logOf(1, 20))(visit);
      },
    });
    const place = await setUp(relay, { after: 100, to: 500 });
    await readToRest(place);
    expect(await place.run()).toMatchObject({ status: "paused", readerCursor: { ordinal: 120 } });
    expect((await place.run()).reason).toBe("the host's sequence numbers went back");
    isAnew = true;
    await place.resume(from);
    await place.tick();
    expect((await place.run()).readerCursor?.ordinal).toBe(20);
  },
);

test.concurrent("fault 5: a start below what a silent relay keeps records the gap", async () => {
  await using relay = await startRelay({ onConnect: serveLog(logOf(500, 503)) });
  const place = await setUp(relay, { after: 100, to: 503 });
  await readToRest(place);
  expect(await place.run()).toMatchObject({ status: "succeeded", totals: { received: 4 } });
  expect(await place.store.listGaps(RUN)).toMatchObject([
    { from: { ordinal: 100 }, to: { ordinal: 500 }, reason: "before what the host keeps" },
  ]);
  expect(place.log.join("\n")).toContain("Gap: the host no longer has 100 to 500");
});

test.concurrent("fault 6: a stretch that the host no longer has is a gap, and the run ends", async () => {
  await using relay = await startRelay({ onConnect: serveLog(logOf(500, 503)) });
  const place = await setUp(relay, { after: 100, to: 200 });
  await readToRest(place);
  expect(await place.run()).toMatchObject({ status: "succeeded", target: { ordinal: 100 }, totals: { received: 0 } });
  expect(await place.store.listGaps(RUN)).toMatchObject([{ from: { ordinal: 100 }, to: { ordinal: 500 } }]);
});

test.concurrent("fault 6: quiet behind nothing but the cursor's own event, the run ends", async () => {
  await using relay = await startRelay({
    onConnect: (visit) => (visit.cursor === null ? undefined : send(visit, 100, 100)),
  });
  const place = await setUp(relay, { after: 100 });
  await readToRest(place);
  expect(await place.run()).toMatchObject({ status: "succeeded", target: { ordinal: 100 }, totals: { received: 0 } });
});

test("fault 13: how long the host keeps its events is known in a run that is older than that", async () => {
  const nowMs = Date.now();
  const hoursAgo = (hours: number) => nowMs - hours * 3_600_000;
  // Three days of events, an hour apart; the run began ten days ago.
  const frames = Array.from({ length: 72 }, (_, index) =>
    commitFrame({ seq: index + 1, timeMs: hoursAgo(72 - index) }),
  );
  await using relay = await startRelay({
    onConnect: ({ cursor, socket }) => {
      if (cursor !== null) frames.slice(Number(cursor)).forEach((bytes) => socket.send(bytes));
    },
  });
  const place = await setUp(relay, { after: 1, to: 40, createdAtMs: hoursAgo(240) });
  await place.store.transition(RUN, ["enqueued"], "running", {});
  await place.store.transition(RUN, ["running"], "paused", {});
  await place.resume("oldest");
  await place.tick();
  const run = await place.run();
  const { retentionSeconds, fallsOffInSeconds } = retentionOf({ ...run, target: null }, nowMs);
  expect(retentionSeconds).toBeGreaterThan(65 * 3_600);
  expect(retentionSeconds).toBeLessThan(73 * 3_600);
  expect(fallsOffInSeconds).toBeGreaterThan(0);
});

test("fault 4: kinds of frames that nobody knows are said aloud, and a commit that is too big is dead by that reason", async () => {
  const unknown = frame({ op: 1, t: "#later" }, { seq: 102, time: new Date(timeOf(102)).toISOString() });
  const tooBig = commitFrame({ seq: 103, ops: [], payload: { tooBig: true } });
  const log = [...logOf(101, 101), [102, unknown] as const, [103, tooBig] as const, ...logOf(104, 104)];
  await using relay = await startRelay({ onConnect: serveLog(log) });
  const place = await setUp(relay, { after: 100, to: 104 });
  await readToRest(place);
  expect(await place.run()).toMatchObject({ status: "succeeded", totals: { received: 3 } });
  expect(place.log.join("\n")).toContain("1 frames of kinds that this version does not know were passed over");
});
