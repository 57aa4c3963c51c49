/**
 * A real sink on a real Postgres behind a pooler, and the consumer's own use case: what the database or somebody before it
 * cannot do counts against no batch, the run says what it waits for, and goes on by itself.
 */
import { applyMessage } from "@firehose-backfill/backfill/apply-message";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { quietConsumer } from "@firehose-backfill/testing/backfill/consumer";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import type { BatchKey } from "@firehose-backfill/core/batch";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { recordEvent } from "@firehose-backfill/testing/queue/batches";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";
import { createSink } from "@firehose-backfill/sink-postgres/sink";
import { collectSnapshot } from "@firehose-backfill/status/collect-snapshot";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Pooler, startPooler } from "../support/pooler.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase, type TestDatabase } from "../support/query.ts";

const RUN = "run";
/** Longer than the longest wait of a batch. */
const AFTER_ANY_WAIT_MS = 901_000;

let folder: TemporaryFolder;
let postgres: Postgres;
let database: TestDatabase;
let pooler: Pooler;

beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  await openSink(postgres.databaseUrl).migrate();
  database = await openTestDatabase(postgres.databaseUrl);
  pooler = await startPooler(postgres.databaseUrl);
}, 60_000);

afterAll(async () => {
  await pooler[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

beforeEach(async () => {
  pooler.up();
  await database.query("DROP FUNCTION IF EXISTS public.users_own() CASCADE", []);
  for (const table of ["records", "repos", "dead_events"]) await database.query(`DELETE FROM firehose.${table}`, []);
});

async function setUp(options: { readonly databaseUrl?: string; readonly fields?: object } = {}) {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock, random: Math.random });
  const config = parseConfig({ BACKFILL_BATCH_DELAY_MS: "0", BACKFILL_VERIFY: "structure" });
  await store.createRun({ ...newRun(config, { runId: RUN, nowMs: clock.now() }), ...options.fields });
  await store.transition(RUN, ["enqueued"], "running", {});
  const databaseUrl = options.databaseUrl ?? pooler.databaseUrl;
  const timeouts = { lockMs: 100, retryForMs: 0 };
  const sink = createSink({ databaseUrl, poolSize: 1, clock, random: Math.random, throttleQuery: null, timeouts });
  const said: string[] = [];
  const consumer = quietConsumer({ clock, store, queue, sink, log: (line) => said.push(line) });
  const keyOf = (number: number): BatchKey => ({ runId: RUN, generation: 1, window: 1, fence: 1, number });
  return {
    clock,
    store,
    queue,
    said,
    /** Batches of ten events each. */
    async send(batches: number) {
      for (let number = 0; number < batches; number += 1) {
        const events = Array.from({ length: 10 }, (_, n) => {
          const seq = number * 10 + n;
          // A tombstone each: what it says does not matter here.
          return recordEvent(seq, { action: "delete", rkey: `r${seq}`, cid: null, record: null });
        });
        await queue.send([
          {
            batch: { key: keyOf(number), dueMs: 0, paceVersion: 0, events: EventLog.of(events).slice() },
            delaySeconds: 0,
          },
        ]);
      }
    },
    async receive() {
      const [message] = await queue.receive({ max: 1, waitSeconds: 0 });
      return message === undefined ? null : applyMessage(consumer, message, { signal: new AbortController().signal });
    },
    attempts: async (number: number) => (await store.getEntry(keyOf(number)))?.attempts ?? 0,
    snapshot: () => collectSnapshot({ store, queue, clock, config, runId: RUN }),
    count: async (table: string) =>
      Number((await database.query(`SELECT count(*) AS n FROM firehose.${table}`, []))[0]?.["n"]),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}

/** Receives until nothing is left, the waits passed by the clock. */
async function applyAll(place: Awaited<ReturnType<typeof setUp>>, rounds = 40): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    if ((await place.receive()) === null) await place.clock.advance(AFTER_ANY_WAIT_MS);
    const { ready, inFlight, delayed } = await place.queue.figures();
    if (ready + inFlight + delayed === 0) return;
  }
}

it.each([
  ["XX000", "server login has been failing"],
  ["08P01", "server conn crashed?"],
  ["57P03", "the database system is starting up"],
  ["53300", "remaining connection slots are reserved"],
  ["58000", "out of sockets"],
  ["25P04", "terminating connection due to transaction timeout"],
  ["P0001", "a proxy of an odd kind"],
  ["22000", "another one"],
])("fault 1: a pooler that answers FATAL %s (%s): nothing counts as an attempt", async (sqlState, message) => {
  await using place = await setUp();
  await place.send(3);
  expect((await place.receive())?.kind).toBe("applied");
  pooler.down(sqlState, message);
  const before = pooler.refused();
  // Far more often than a batch has attempts.
  for (let round = 0; round < 12; round += 1) {
    expect((await place.receive())?.kind ?? "hidden").toBe("hidden");
    await place.clock.advance(AFTER_ANY_WAIT_MS);
  }
  expect(pooler.refused()).toBeGreaterThan(before + 5);
  expect([await place.attempts(1), await place.attempts(2)]).toEqual([0, 0]);
  const { reason } = await place.snapshot();
  expect(reason).toMatch(/^waiting: database: /);
  expect(reason).toContain(`${message} (${sqlState})`);
  expect((await place.store.getRun(RUN))?.status).toBe("running");
  pooler.up();
  await applyAll(place);
  expect(await place.count("records")).toBe(30);
  expect(await place.queue.figures()).toMatchObject({ deadLetters: 0 });
  expect((await place.snapshot()).reason).toBeNull();
});

it("fault 11: a trigger of the user that raises for 21 of 300 rows: those are dead with its message", async () => {
  await database.query(
    `CREATE FUNCTION public.users_own() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
       IF substr(NEW.rkey, 2)::int % 15 = 1 AND NEW.rkey <> 'r1' THEN RAISE EXCEPTION 'no % here', NEW.rkey; END IF;
       IF substr(NEW.rkey, 2)::int IN (3, 4) THEN INSERT INTO public.gone VALUES (1); END IF;
       RETURN NEW; END $f$`,
    [],
  );
  const trigger =
    "CREATE TRIGGER users_own BEFORE INSERT ON firehose.records FOR EACH ROW EXECUTE FUNCTION public.users_own()";
  await database.query(trigger, []);
  await using place = await setUp();
  await place.send(30);
  await applyAll(place);
  expect([await place.count("records"), await place.count("dead_events")]).toEqual([279, 21]);
  const messages = await database.query("SELECT DISTINCT error FROM firehose.dead_events ORDER BY 1 LIMIT 2", []);
  expect(messages.map((row) => row["error"])).toEqual(["no r106 here", "no r121 here"]);
  expect(await place.queue.figures()).toMatchObject({ deadLetters: 0 });
  expect((await place.store.getRun(RUN))?.status).toBe("running");
});

it("fault 12: a lock on firehose.records: the run says who holds it, and goes on after it", async () => {
  await using place = await setUp();
  await place.send(2);
  expect((await place.receive())?.kind).toBe("applied");
  await database.query("BEGIN", []);
  await database.query("LOCK TABLE firehose.records IN SHARE MODE", []);
  for (let round = 0; round < 7; round += 1) {
    expect((await place.receive())?.kind ?? "hidden").toBe("hidden");
    await place.clock.advance(AFTER_ANY_WAIT_MS);
  }
  expect((await place.snapshot()).reason).toMatch(
    /^waiting: database: .*waits for a lock on firehose\.records held by pid \d+ \(idle in transaction after: LOCK TABLE/,
  );
  expect(await place.attempts(1)).toBe(0);
  await database.query("COMMIT", []);
  await applyAll(place);
  expect(await place.count("records")).toBe(20);
});

it("fault 14: another database behind the address: nothing is written, no attempt counts, the run says so", async () => {
  await database.query("CREATE DATABASE another", []);
  const other = new URL(postgres.databaseUrl);
  other.pathname = "/another";
  await openSink(other.href).migrate();
  await using bound = await setUp();
  await bound.send(1);
  await applyAll(bound);
  const run = await bound.store.getRun(RUN);
  expect(run?.database?.name).toMatch(/^127\.0\.0\.1:\d+\/postgres$/);

  await using place = await setUp({ databaseUrl: other.href, fields: { database: run?.database } });
  await place.send(1);
  for (let round = 0; round < 7; round += 1) {
    expect((await place.receive())?.kind ?? "hidden").toBe("hidden");
    await place.clock.advance(AFTER_ANY_WAIT_MS);
  }
  expect(await place.attempts(0)).toBe(0);
  expect((await place.store.getRun(RUN))?.status).toBe("errored");
  expect((await place.snapshot()).reason).toMatch(
    /DATABASE_URL is 127\.0\.0\.1:\d+\/another, and run run writes to 127\.0\.0\.1:\d+\/postgres.*start --new/,
  );
  await using another = await openTestDatabase(other.href);
  expect(await another.query("SELECT rkey FROM firehose.records", [])).toEqual([]);
});
