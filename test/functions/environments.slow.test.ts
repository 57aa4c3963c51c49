/**
 * What becomes of environments, and that nothing is lost by it: they leak, take too long, crash, are throttled, and
 * sleep for as long as Lambda likes. And what becomes of batches that can never be applied.
 */
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { newRun, newRunId } from "@firehose-backfill/backfill/new-run";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { startReplayRelay, type ReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";
import type { SQSRecord } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createConsumer } from "../../functions/shared/consumer.ts";
import { createObservability } from "../../functions/shared/observability.ts";
import { commitFrame } from "../support/make-frame.ts";
import { hasOwnClient } from "./host/environment.ts";
import { receiveMessages, toSqsEvent } from "./host/event-source-mapping.ts";
import { sumOfFigure, sumOfMetric } from "./metric-lines.ts";
import { type Services, type Stage, startServices } from "./stage.ts";

const DID = "did:plc:aliceaaaaaaaaaaaaaaaaaaa";
const EVENTS = 12;
/** Two environments at once, and each is over its limit after two batches. */
const LEAKING = 8;
/** Long enough for a cold start on a busy machine, and short enough to wait for. */
const RETURNS_AFTER_SECONDS = 3;

let services: Services;
let relay: ReplayRelay;

beforeAll(async () => {
  const frames = Array.from({ length: EVENTS }, (_, index) =>
    commitFrame({
      seq: index + 1,
      did: DID,
      rev: `3aaaaaaaaa${"abcdefghijkl"[index]}2a`,
      ops: [{ action: "create", path: `a.b.c/r${index + 1}`, record: { text: `record ${index + 1}` } }],
    }),
  );
  [services, relay] = await Promise.all([startServices(), startReplayRelay({ frames })]);
}, 120_000);

afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  await services[Symbol.asyncDispose]();
});

/** Of the first events, one a batch, as fast as it goes. Where control has made the tables, here they are made as well. */
async function beginRun(stage: Stage, events: number, settings: Readonly<Record<string, string>> = {}): Promise<void> {
  await openSink(stage.databaseUrl).migrate();
  const config = parseConfig({
    RELAY_URL: relay.url,
    BACKFILL_BATCH_SIZE: "1",
    BACKFILL_BATCH_DELAY_MS: "0",
    ...settings,
  });
  const nowMs = Date.now();
  const points = { start: { kind: "oldest" }, end: { kind: "seq", seq: events } } as const;
  await stage.store.createRun(newRun(config, { runId: newRunId(nowMs, Math.random), nowMs, ...points }));
}

async function rowsOf(stage: Stage): Promise<number> {
  const rows = await stage.database.query("select count(*)::int as n from firehose.records where cid is not null", []);
  return Number(rows[0]?.["n"]);
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
}

function count(stage: Stage, outcome: string): number {
  return stage.functions.consumer.invocations.filter((invocation) => invocation.outcome === outcome).length;
}

describe("an environment that leaks", () => {
  it.skipIf(!hasOwnClient)(
    "ends before it takes more work, and a clean one goes on: nothing is lost, nothing dead-lettered (needs our client)",
    async () => {
      const limit = { BACKFILL_MAX_MEMORY_MB: "256" };
      await using stage = await services.newStage({ name: "leaks", relayUrl: relay.url, settings: limit, leakMb: 110 });
      await beginRun(stage, LEAKING, limit);
      await using _ = stage.consume();
      const final = await stage.tickUntilOver();
      expect(final).toMatchObject({ status: "succeeded", processed: LEAKING, dead: 0 });
      expect(await rowsOf(stage)).toBe(LEAKING);
      expect(await stage.deadLetters()).toBe(0);

      const { consumer } = stage.functions;
      const earlyExits = sumOfMetric(consumer.output(), "EarlyExits");
      expect(earlyExits).toBeGreaterThanOrEqual(2);
      expect(count(stage, "exit")).toBe(earlyExits);
      expect(count(stage, "timeout")).toBe(0);
      expect(consumer.environments.length).toBeGreaterThan(2);
      expect(final.memory.pauses).toBeGreaterThanOrEqual(2);
    },
    120_000,
  );
});

describe("an environment that is killed", () => {
  it("leaves its batch in the queue, whether it took too long or crashed", async () => {
    await using stage = await services.newStage({
      name: "killed",
      relayUrl: relay.url,
      consumerTimeoutMs: 4_000,
      visibilityTimeoutSeconds: RETURNS_AFTER_SECONDS,
    });
    await beginRun(stage, 2);
    const { database, functions } = stage;
    await database.query("begin", []);
    await database.query("lock table firehose.records in access exclusive mode", []);
    await stage.tick();
    await using _ = stage.consume();
    // Both hold a batch and wait for the table: one is killed here, Lambda ends the other.
    await until(() => functions.consumer.busyPids().length === 2);
    const [crashing = 0] = functions.consumer.busyPids();
    process.kill(crashing, "SIGKILL");
    await until(() => count(stage, "timeout") > 0);
    await database.query("rollback", []);

    const final = await stage.tickUntilOver();
    expect(count(stage, "exit")).toBeGreaterThan(0);
    expect(final).toMatchObject({ status: "succeeded", received: 2, processed: 2, dead: 0 });
    expect(await rowsOf(stage)).toBe(2);
    expect(await stage.deadLetters()).toBe(0);
  }, 120_000);
});

describe("an invocation that brings two batches", () => {
  it("does not begin the second one when little time is left, and hands it back", async () => {
    await using stage = await services.newStage({ name: "slow", relayUrl: relay.url });
    await beginRun(stage, 2);
    await stage.tick();
    for (const [name, value] of Object.entries({ ...stage.env, ...QUIET })) vi.stubEnv(name, value);
    const consumer = createConsumer(
      { ...stage.env, DATABASE_URL: stage.databaseUrl },
      { observability: createObservability(), endProcess: () => expect.unreachable("memory is not short here") },
    );
    const records = [await receiveRecord(stage), await receiveRecord(stage)];
    const remainingMs = [9_000, 9_000, 2_999];
    const context = { getRemainingTimeInMillis: () => remainingMs.shift() ?? 0 };
    const results = await consumer.take({ Records: records }, context);
    vi.unstubAllEnvs();
    expect(remainingMs).toEqual([]);
    expect(results.map(({ kind, because }) => `${kind}: ${because}`)).toEqual(["applied: applied", "hidden: time"]);
    expect(await rowsOf(stage)).toBe(1);
    // It is not hidden for the three minutes that the queue would.
    expect((await receiveRecord(stage)).messageId).toBe(records[1]?.messageId);
  }, 60_000);
});

const QUIET = { POWERTOOLS_LOG_LEVEL: "SILENT", POWERTOOLS_METRICS_DISABLED: "true" };

async function receiveRecord(stage: Stage): Promise<SQSRecord> {
  const [message] = await receiveMessages({ client: stage.sqs, queueUrl: stage.queueUrl });
  const [record] = message === undefined ? [] : toSqsEvent(message).Records;
  if (record === undefined) throw new Error("no message");
  return record;
}

describe("a function that may run once at a time", () => {
  it("throttles the second batch that the mapping offers, which comes back; frozen, it outlives its connection", async () => {
    await using stage = await services.newStage({
      name: "single",
      relayUrl: relay.url,
      maxConcurrent: 1,
      visibilityTimeoutSeconds: RETURNS_AFTER_SECONDS,
    });
    const { consumer } = stage.functions;
    await beginRun(stage, 5);
    {
      await using _ = stage.consume();
      expect(await stage.tickUntilOver()).toMatchObject({ status: "succeeded", processed: 5 });
    }
    expect(count(stage, "throttled")).toBeGreaterThan(0);
    expect(await stage.deadLetters()).toBe(0);
    expect(consumer.environments).toHaveLength(1);

    // While it sleeps, the database ends its connection: it finds out in the middle of the next batch.
    const [environment] = consumer.environments;
    const ended = await stage.database.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
      [],
    );
    expect(ended.length).toBeGreaterThan(0);
    const before = environment?.freezes() ?? 0;
    await beginRun(stage, EVENTS);
    await using _ = stage.consume();
    expect(await stage.tickUntilOver()).toMatchObject({ status: "succeeded", processed: EVENTS, dead: 0 });
    expect(await rowsOf(stage)).toBe(EVENTS);
    expect(consumer.environments).toHaveLength(1);
    expect(environment?.freezes()).toBeGreaterThan(before);
  }, 120_000);
});

describe("a batch that can never be applied", () => {
  it("is in the dead-letter queue after five attempts, and the others are applied", async () => {
    await using stage = await services.newStage({ name: "poison", relayUrl: relay.url });
    const { consumer } = stage.functions;
    await beginRun(stage, 3);
    await stage.database.query(
      `create function poison() returns trigger language plpgsql as
         $$ begin if new.rkey = 'r2' then raise exception 'poison'; end if; return new; end $$`,
      [],
    );
    await stage.database.query(
      "create trigger poison before insert on firehose.records for each row execute function poison()",
      [],
    );
    // A row that is refused becomes a dead event, and its batch is applied; here the dead event is refused, too.
    await stage.database.query(
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$`,
      [],
    );
    await stage.database.query(
      "create trigger refuse before insert on firehose.dead_events for each row execute function refuse()",
      [],
    );
    await stage.sqs.send(new SendMessageCommand({ QueueUrl: stage.queueUrl, MessageBody: "not one of ours" }));
    await stage.tick();
    await using _ = stage.consume();
    await until(() => consumer.output().includes("attempt 1"));
    await countThreeAttempts(stage);

    const final = await stage.tickUntilOver();
    expect(final).toMatchObject({ status: "succeeded", received: 3, processed: 2, dead: 1 });
    expect(await stage.deadLetters()).toBe(2);
    expect(sumOfFigure(consumer.output(), "eventsDead")).toBe(1);
    expect(count(stage, "error")).toBe(0);
    expect(told("poison")?.message).toContain("1 dead");
  }, 120_000);
});

function told(stage: string) {
  return services.topic.published.find(({ subject }) => subject.startsWith(`firehose-backfill ${stage}: `));
}

/** In the place of waiting for them: each would take twice as long as the one before. */
async function countThreeAttempts(stage: Stage): Promise<void> {
  const [, window, number] = /Batch (\d+)\/(\d+), attempt 1/.exec(stage.functions.consumer.output()) ?? [];
  const run = await stage.store.currentRun();
  if (run === null) throw new Error("no run");
  const open = await stage.store.openWindows(run, 10);
  const fence = open.find((each) => each.window.number === Number(window))?.window.fence ?? 0;
  const key = { runId: run.runId, generation: run.generation, window: Number(window), fence, number: Number(number) };
  for (let attempt = 2; attempt <= 4; attempt += 1) await stage.store.beginAttempt(key);
}

describe("a run that the schedule begins", () => {
  it("begins by the deploy's settings where none has ever existed, and finds its tables made by the first batch", async () => {
    await using stage = await services.newStage({
      name: "scheduled",
      relayUrl: relay.url,
      settings: { BACKFILL_DAYS: "-1", BACKFILL_BATCH_DELAY_MS: "0" },
      readerTimeoutMs: 8_000,
    });
    const { body } = await stage.tick();
    expect(body).toContain("is running");
    await using _ = stage.consume();
    await until(async () => (await rowsOf(stage).catch(() => 0)) === EVENTS);
    expect(await stage.snapshot()).toMatchObject({ status: "running", received: EVENTS });
  }, 120_000);

  it("does not begin where BACKFILL_DAYS is 0", async () => {
    const settings = { BACKFILL_DAYS: "0" };
    await using stage = await services.newStage({ name: "never", relayUrl: relay.url, settings });
    expect(await stage.tick()).toMatchObject({ body: '{"message":"no run"}' });
    expect(stage.functions.reader.output()).toBe("");
    expect(await stage.store.currentRun()).toBe(null);
  }, 60_000);

  it("stops loudly where the database is not there, and tells the operator", async () => {
    await using stage = await services.newStage({
      name: "nowhere",
      relayUrl: relay.url,
      settings: { BACKFILL_DAYS: "-1", BACKFILL_BATCH_DELAY_MS: "0" },
      readerTimeoutMs: 8_000,
      databaseUrl: "not a database",
    });
    await stage.tick();
    await using _ = stage.consume();
    await until(async () => (await stage.store.currentRun())?.status === "errored");
    await until(() => told("nowhere") !== undefined);
    expect(told("nowhere")?.message).toContain("DATABASE_URL");
    expect(await stage.deadLetters()).toBe(0);
  }, 60_000);
});
