/**
 * Production's health, asked on a real Postgres by a real sink, and what the run makes of the answer: it waits and backs
 * off, counts no attempt, and goes on by itself. The use case is the consumer's own; queue and table are in memory.
 */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { applyMessage } from "@firehose-backfill/backfill/apply-message";
import { quietConsumer } from "@firehose-backfill/testing/backfill/consumer";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import type { BatchKey } from "@firehose-backfill/core/batch";
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { recordEvent } from "@firehose-backfill/testing/queue/batches";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";
import { createSink } from "@firehose-backfill/sink-postgres/sink";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase, type TestDatabase } from "../support/query.ts";

const RUN = "run";
const THROTTLE_QUERY = "SELECT replicas_behind FROM public.production";
/** What a batch of this sleeps in the database, and well above what a busy machine makes of a quick one. */
const SLOW_SECONDS = 2;
/** Between two looks of the throttle query; and longer than the first waits of a batch, 30 and 60 s. */
const AFTER_THE_WAIT_MS = 61_000;

let folder: TemporaryFolder;
let postgres: Postgres;
let database: TestDatabase;

beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  await openSink(postgres.databaseUrl).migrate();
  database = await openTestDatabase(postgres.databaseUrl);
  await database.query(
    `CREATE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN IF NEW.rkey = 'slow' THEN PERFORM pg_sleep(${SLOW_SECONDS}); END IF; RETURN NEW; END $$`,
    [],
  );
  await database.query(
    "CREATE TRIGGER dawdle BEFORE INSERT ON firehose.records FOR EACH ROW EXECUTE FUNCTION public.dawdle()",
    [],
  );
}, 60_000);

afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await database.query("DELETE FROM firehose.records", []);
  await database.query("DROP TABLE IF EXISTS public.production", []);
  await database.query("CREATE TABLE public.production AS SELECT 0 AS replicas_behind", []);
});

/** A run without pacing, so that only its health decides; `now` is the database's own clock where it is left out. */
async function setUp(options: { readonly throttleQuery: string | null; readonly clock?: VirtualClock }) {
  const clock = options.clock ?? systemClock;
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock, random: Math.random });
  const config = parseConfig({ BACKFILL_BATCH_DELAY_MS: "0", BACKFILL_VERIFY: "structure" });
  await store.createRun(newRun(config, { runId: RUN, nowMs: clock.now() }));
  await store.transition(RUN, ["enqueued"], "running", {});
  const { databaseUrl } = postgres;
  const sink = createSink({
    databaseUrl,
    poolSize: 1,
    clock,
    random: Math.random,
    throttleQuery: options.throttleQuery,
  });
  const consumer = quietConsumer({ clock, store, queue, sink });
  let number = 0;
  const keyOf = (n: number): BatchKey => ({ runId: RUN, generation: 1, window: 1, fence: 1, number: n });
  return {
    store,
    keyOf,
    /** A tombstone each: what it says does not matter here. */
    send: async (rkey: string) => {
      const event = recordEvent(number, {
        action: "delete",
        rkey,
        rev: `3l${String(number).padStart(11, "2")}`,
        cid: null,
      });
      const events = EventLog.of([{ ...event, record: null }]).slice();
      const batch = { key: keyOf(number), dueMs: clock.now(), paceVersion: 0, events };
      number += 1;
      await queue.send([{ batch, delaySeconds: 0 }]);
    },
    receive: async () => {
      const [message] = await queue.receive({ max: 1, waitSeconds: 0 });
      return message === undefined ? null : applyMessage(consumer, message, { signal: new AbortController().signal });
    },
    run: async () => {
      const run = await store.getRun(RUN);
      if (run === null) throw new Error("no run");
      return run;
    },
    rows: async () =>
      (await database.query("SELECT rkey FROM firehose.records ORDER BY 1", [])).map((row) => row["rkey"]),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}

it.each([
  ["above 0", "UPDATE public.production SET replicas_behind = 3", "waiting: throttle query: 3 > 0"],
  ["null", "UPDATE public.production SET replicas_behind = NULL", /^waiting: throttle query: .*null/i],
  ["without a row", "DELETE FROM public.production", /^waiting: throttle query: .*no row/i],
  ["that fails", "DROP TABLE public.production", /^waiting: throttle query: .*does not exist/],
])("a throttle query %s: wait and back off, count no attempt, then go on", async (_name, unwell, because) => {
  const clock = new VirtualClock();
  await using place = await setUp({ throttleQuery: THROTTLE_QUERY, clock });
  await place.send("first");
  expect((await place.receive())?.kind).toBe("applied");

  await database.query(unwell, []);
  await clock.advance(5_000);
  await place.send("second");
  expect(await place.receive()).toMatchObject({ kind: "hidden", because: expect.stringMatching(because) });
  const { waiting, backOff, backOffReason } = await place.run();
  expect([`waiting: ${waiting?.for ?? ""}`, backOff, `waiting: ${backOffReason ?? ""}`]).toEqual([
    expect.stringMatching(because),
    2,
    expect.stringMatching(because),
  ]);
  expect((await place.store.getEntry(place.keyOf(1)))?.attempts).toBe(0);
  expect(await place.rows()).toEqual(["first"]);

  await database.query("DROP TABLE IF EXISTS public.production", []);
  await database.query("CREATE TABLE public.production AS SELECT 0 AS replicas_behind", []);
  expect(await place.receive()).toBeNull();
  await clock.advance(AFTER_THE_WAIT_MS);
  expect((await place.receive())?.kind).toBe("applied");
  expect((await place.run()).waiting).toBeNull();
  expect(await place.rows()).toEqual(["first", "second"]);
});

it("a batch that takes many times as long as those before it: the run backs off because of latency", async () => {
  await using place = await setUp({ throttleQuery: null });
  for (let n = 0; n < 20; n += 1) {
    await place.send(`quick-${n}`);
    expect((await place.receive())?.kind).toBe("applied");
  }
  expect((await place.run()).backOff).toBe(1);
  await place.send("slow");
  const result = await place.receive();
  expect([result?.kind, (result?.applyMs ?? 0) >= SLOW_SECONDS * 1000]).toEqual(["applied", true]);
  expect(await place.run()).toMatchObject({ backOff: 2, backOffReason: "latency" });
});
