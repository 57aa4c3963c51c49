/**
 * What becomes of an environment that Lambda froze: the other side has closed its connections, or has forgotten them
 * without a word; and hours may have passed. The next batch is applied at its first try, and nobody is alarmed.
 */
import { newRun, newRunId } from "@firehose-backfill/backfill/new-run";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { startReplayRelay, type ReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commitFrame } from "../support/make-frame.ts";
import { hasOwnClient } from "./host/environment.ts";
import { receiveMessages, isDone, toSqsEvent } from "./host/event-source-mapping.ts";
import type { Invocation } from "./host/local-function.ts";
import { jsonLines } from "./metric-lines.ts";
import { type Services, type Stage, type StageOptions, startServices } from "./stage.ts";

const EVENTS = 4;
const QUARTER_OF_AN_HOUR_MS = 15 * 60_000;
/** The consumer's own limits end before Lambda's, which is at 30 s. */
const BY_ITS_OWN_LIMIT_MS = 25_000;

let services: Services;
let relay: ReplayRelay;

beforeAll(async () => {
  const frames = Array.from({ length: EVENTS }, (_, index) =>
    commitFrame({
      seq: index + 1,
      did: "did:plc:aliceaaaaaaaaaaaaaaaaaaa",
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

/** A run of one event a batch, all of it in the queue. */
async function newStage(options: Omit<StageOptions, "relayUrl">): Promise<Stage> {
  const settings = { BACKFILL_BATCH_SIZE: "1", BACKFILL_BATCH_DELAY_MS: "0", ...options.settings };
  const stage = await services.newStage({ ...options, relayUrl: relay.url, settings });
  await openSink(stage.databaseUrl).migrate();
  const config = parseConfig({ RELAY_URL: relay.url, ...settings });
  const nowMs = Date.now();
  const points = { start: { kind: "oldest" }, end: { kind: "seq", seq: EVENTS } } as const;
  await stage.store.createRun(newRun(config, { runId: newRunId(nowMs, Math.random), nowMs, ...points }));
  return stage;
}

/** The next message of the queue, as the event source mapping hands it over. */
async function consumeOne(stage: Stage): Promise<Invocation> {
  const at = { client: stage.sqs, queueUrl: stage.queueUrl };
  const [message] = await receiveMessages(at);
  if (message === undefined) throw new Error("the queue is empty");
  return stage.functions.consumer.invoke(toSqsEvent(message));
}

async function rowsOf(stage: Stage): Promise<number> {
  const rows = await stage.database.query("select count(*)::int as n from firehose.records where cid is not null", []);
  return Number(rows[0]?.["n"]);
}

/** Attempts and waits that were counted. */
async function attemptsOf(stage: Stage): Promise<number> {
  const run = await stage.store.currentRun();
  if (run === null) throw new Error("no run");
  const windows = await stage.store.openWindows(run, 10);
  const entries = windows.flatMap((window) => window.entries);
  expect(entries.length).toBeGreaterThan(0);
  return entries.reduce((sum, { attempts, waits }) => sum + attempts + waits, 0);
}

/** Whatever is neither debug nor info. */
function alarming(...texts: readonly string[]) {
  return texts.flatMap((text) => jsonLines(text)).filter(({ level }) => level === "ERROR" || level === "WARN");
}

async function freeze(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Its first batch has opened every connection, its second one is to be applied as well: at the first try. */
async function expectAppliedAtOnce(stage: Stage, meanwhile: () => Promise<void>): Promise<Invocation> {
  const { consumer } = stage.functions;
  await stage.tick();
  expect(isDone(await consumeOne(stage))).toBe(true);
  expect(stage.lines.open()).toBeGreaterThan(1);
  await meanwhile();
  const second = await consumeOne(stage);
  expect(second).toMatchObject({ outcome: "response", error: null });
  expect(isDone(second)).toBe(true);
  expect(await rowsOf(stage)).toBe(2);
  expect(await attemptsOf(stage)).toBe(0);
  expect(consumer.environments).toHaveLength(1);
  expect(alarming(consumer.output())).toEqual([]);
  return second;
}

describe("a consumer that was frozen", () => {
  it("issue 18.3: for 15 minutes, every connection closed meanwhile: the next batch is applied at the first try", async () => {
    await using stage = await newStage({ name: "closed" });
    await expectAppliedAtOnce(stage, async () => {
      stage.lines.close();
      stage.functions.consumer.jumpAhead(QUARTER_OF_AN_HOUR_MS);
      await freeze(500);
    });
  }, 120_000);

  it("issue 18.3: for 4 s, every connection silent since: it is applied by the function's own limits, not ended by Lambda's", async () => {
    await using stage = await newStage({ name: "silent", settings: { BACKFILL_THROTTLE_QUERY: "SELECT 0" } });
    const { billedMs } = await expectAppliedAtOnce(stage, async () => {
      stage.lines.goSilent();
      await freeze(4_000);
    });
    // It did wait for connections that give no answer.
    expect(billedMs).toBeGreaterThan(2_000);
    expect(billedMs).toBeLessThan(BY_ITS_OWN_LIMIT_MS);
  }, 120_000);
});

describe("a reader that was frozen", () => {
  it("issue 18.3: reads on, whether its connections were closed or forgotten, and keeps none of the relay's", async () => {
    await using stage = await newStage({ name: "reading" });
    const { reader } = stage.functions;
    await stage.tick();
    expect(relay.connections).toBe(0);
    stage.lines.close();
    reader.jumpAhead(QUARTER_OF_AN_HOUR_MS);
    expect(await stage.tick()).toMatchObject({ outcome: "response" });
    stage.lines.goSilent();
    expect(await stage.tick()).toMatchObject({ outcome: "response" });
    await using _ = stage.consume();
    expect(await stage.tickUntilOver()).toMatchObject({ status: "succeeded", processed: EVENTS, dead: 0 });
    expect(reader.environments).toHaveLength(1);
    expect(alarming(reader.output())).toEqual([]);
  }, 120_000);

  it.skipIf(!hasOwnClient)(
    "issue 18.3: a clock that went back between two ticks loses nothing (needs our client)",
    async () => {
      await using stage = await newStage({ name: "back" });
      stage.functions.reader.jumpAhead(QUARTER_OF_AN_HOUR_MS);
      await stage.tick();
      stage.functions.reader.jumpAhead(-QUARTER_OF_AN_HOUR_MS);
      await using _ = stage.consume();
      expect(await stage.tickUntilOver()).toMatchObject({ status: "succeeded", processed: EVENTS, dead: 0 });
      expect(await rowsOf(stage)).toBe(EVENTS);
    },
    120_000,
  );
});

describe("a schedule that is at-least-once and late", () => {
  it("issue 18.3: two environments tick at once, and every batch is sent once", async () => {
    await using stage = await newStage({ name: "twice", readersAtOnce: 2 });
    const both = await Promise.all([stage.tick(), stage.tick()]);
    expect(both.map(({ outcome }) => outcome)).toEqual(["response", "response"]);
    expect(stage.functions.reader.environments).toHaveLength(2);
    await using _ = stage.consume();
    expect(await stage.tickUntilOver()).toMatchObject({ status: "succeeded", received: EVENTS, processed: EVENTS });
    const delivered = stage.functions.consumer.invocations.filter(({ outcome }) => outcome === "response");
    expect(delivered).toHaveLength(EVENTS);
  }, 120_000);

  it("issue 18.3: a tick of yesterday and one that came twice read on where the last one stopped", async () => {
    await using stage = await newStage({ name: "late" });
    const event = { action: "tick", scheduledAt: "2026-01-01T00:00:00Z" };
    const earlier = { action: "tick", scheduledAt: "2025-12-31T00:00:00Z" };
    for (const each of [event, event, earlier])
      expect(await stage.functions.reader.invoke(each)).toMatchObject({ outcome: "response" });
    await using _ = stage.consume();
    expect(await stage.tickUntilOver()).toMatchObject({ status: "succeeded", received: EVENTS, processed: EVENTS });
    expect(await rowsOf(stage)).toBe(EVENTS);
  }, 120_000);
});

describe("Lambda's limit of memory", () => {
  it.skipIf(!hasOwnClient)(
    "issue 18.3: ends an environment in the middle of a batch, which comes back and is applied (needs our client)",
    async () => {
      await using stage = await newStage({
        name: "hungry",
        visibilityTimeoutSeconds: 3,
        envOfConsumer: (index): Record<string, string> => (index === 0 ? { TEST_LEAK_MB: "900" } : {}),
      });
      await using _ = stage.consume();
      expect(await stage.tickUntilOver()).toMatchObject({ status: "succeeded", processed: EVENTS, dead: 0 });
      const { invocations } = stage.functions.consumer;
      expect(invocations.filter(({ outcome }) => outcome === "memory")).toHaveLength(1);
      expect(await rowsOf(stage)).toBe(EVENTS);
      expect(await stage.deadLetters()).toBe(0);
    },
    120_000,
  );
});
