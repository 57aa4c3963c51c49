/**
 * What a relay's faults become for the run and for its operator: gaps are recorded, cursors that do not fit halt the run
 * and are kept, and only `resume --from` goes on. The reader is the real one, on a scripted relay.
 */
import { control, type ControlDeps } from "@firehose-backfill/backfill/control";
import type { ReaderDeps } from "@firehose-backfill/backfill/deps";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { runTick } from "@firehose-backfill/backfill/run-tick";
import { createMemoryStore } from "@firehose-backfill/checkpoint/memory-store";
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { commitFrame, errorFrame, infoFrame } from "@firehose-backfill/firehose/testing/frames";
import { type ScriptedRelay, startRelay, type Visit } from "@firehose-backfill/firehose/testing/scripted-relay";
import { createMemoryQueue } from "@firehose-backfill/queue/memory-queue";
import { expect, test } from "vitest";
import { realReader } from "./support/real-reader.ts";

const RUN = "run";
const send = ({ socket }: Visit, from: number, to: number) => {
  for (let seq = from; seq <= to; seq += 1) socket.send(commitFrame({ seq }));
};

async function setUp(relay: ScriptedRelay, position: { readonly after: number; readonly to: number }) {
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock: systemClock, random: Math.random });
  const configure = (values: Readonly<Record<string, string>>) => parseConfig({ RELAY_URL: relay.url, ...values });
  const config = configure({ BACKFILL_BATCH_DELAY_MS: "0" });
  await store.createRun(
    newRun(config, {
      runId: RUN,
      nowMs: Date.now(),
      start: { kind: "seq", seq: position.after },
      end: { kind: "seq", seq: position.to },
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
    tick: () => runTick(deps, { signal: new AbortController().signal, firstRun: null }),
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
  expect(gap).toMatchObject({ from: { seq: 10 }, to: { seq: 500 }, host: new URL(relay.url).host });
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
  expect(await place.run()).toMatchObject({ status: "paused", reason, epoch: 1, readerCursor: { seq: 15 } });
  const connections = relay.attempts();
  await place.tick();
  expect(relay.attempts()).toBe(connections);
  await expect(place.resume(null)).rejects.toThrow(/choose where to go on with --from/);
  expect((await place.resume("oldest")).run).toMatchObject({ status: "running", epoch: 2, readerCursor: null });
});
