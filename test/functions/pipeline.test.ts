/** From the relay to the tables through the bundled functions, each run as Lambda runs it, against an independent judge. */
import { UNIT_WORK } from "@firehose-backfill/core/cost/usage";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { type ReplayRelay, startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assertSameTables } from "../support/compare.ts";
import { expectedTables, type Expected } from "../support/oracle.ts";
import { pdsFrames } from "../support/recordings.ts";
import { jsonLines, metricLines, sumOfFigure } from "./metric-lines.ts";
import { type Services, type Stage, startServices } from "./stage.ts";

/** CloudWatch counts them beside the text of each line. */
const LOG_EVENT_BYTES = 26;

let services: Services;
let relay: ReplayRelay;
let expected: Expected;
let stage: Stage;
let final: Snapshot;

beforeAll(async () => {
  const log = resealedLog({ frames: pdsFrames(), copies: 1, seed: "lambda", firstTimeMs: Date.now() - 3_600_000 });
  [services, relay, expected] = await Promise.all([
    startServices(),
    startReplayRelay({ frames: log }),
    expectedTables([...log.after(0)].map(({ frame }) => frame)),
  ]);
  stage = await services.newStage({ name: "pipeline", relayUrl: relay.url });
  await stage.control({
    action: "start",
    from: "oldest",
    to: String(log.headSeq),
    settings: { BACKFILL_BATCH_SIZE: 100, BACKFILL_BATCH_DELAY_MS: 0 },
  });
  await using _ = stage.consume();
  final = await stage.tickUntilOver();
}, 180_000);

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await relay[Symbol.asyncDispose]();
  await services[Symbol.asyncDispose]();
});

describe("reader, queue, consumer, Postgres", () => {
  it("leaves exactly the rows that an independent decoder computes", async () => {
    expect(final).toMatchObject({
      status: "succeeded",
      received: expected.events,
      processed: expected.events,
      dead: 0,
    });
    await assertSameTables(stage.database.query, expected);
  });

  it("works in few environments, each frozen between its invocations and used again", () => {
    const { reader, consumer } = stage.functions;
    for (const { invocations } of [reader, consumer])
      expect(invocations.filter(({ outcome }) => outcome !== "response")).toEqual([]);
    expect(reader.environments).toHaveLength(1);
    expect(consumer.environments.length).toBeLessThanOrEqual(2);
    const freezes = consumer.environments.reduce((sum, environment) => sum + environment.freezes(), 0);
    expect(freezes).toBeGreaterThan(10);
  });

  it("tells the operator that the run has ended, once", () => {
    expect(services.topic.published).toEqual([
      {
        subject: `firehose-backfill pipeline: run ${final.runId} is succeeded`,
        message: expect.stringContaining(`${expected.events} processed, 0 dead`),
      },
    ]);
  });

  it("bills a few milliseconds an event", () => {
    const billedMs = stage.functions.consumer.invocations.reduce((sum, invocation) => sum + invocation.billedMs, 0);
    console.info(`consumer: ${(billedMs / expected.events).toFixed(2)} billed ms an event, in batches of 100`);
    expect(billedMs / expected.events).toBeLessThan(50);
  });
});

describe("what the functions cost", () => {
  it("issue 18.5: a tick asks the queues no more than the cost model counts, and a batch nothing but the table", () => {
    const { calls, functions } = stage;
    const asked = calls.reader.filter((call) => call.startsWith("sqs ") && call !== "sqs SendMessageBatch");
    const ticks = functions.reader.invocations.length;
    expect(ticks).toBeGreaterThan(1);
    expect(asked.length).toBeGreaterThan(ticks);
    expect(asked.length).toBeLessThanOrEqual(UNIT_WORK.sqsRequestsPerTick * ticks);
    // Hiding is for a batch that is early or waits.
    expect([...new Set(calls.consumer)].filter((call) => !call.startsWith("dynamodb "))).toEqual(
      calls.consumer.includes("sqs ChangeMessageVisibility") ? ["sqs ChangeMessageVisibility"] : [],
    );
  });
});

describe("what the functions say", () => {
  it("counts every event once", () => {
    const { reader, consumer } = stage.functions;
    expect(sumOfFigure(reader.output(), "framesRead")).toBe(pdsFrames().length);
    expect(sumOfFigure(reader.output(), "eventsMatched")).toBe(expected.events);
    expect(sumOfFigure(reader.output(), "eventsEnqueued")).toBe(expected.events);
    const applied = sumOfFigure(consumer.output(), "eventsApplied") + sumOfFigure(consumer.output(), "eventsStale");
    expect(applied).toBe(expected.events);
  });

  it("issue 18.5: writes no metric in a run without trouble, and one short line for each batch", () => {
    const { reader, consumer } = stage.functions;
    expect([...metricLines(reader.output()), ...metricLines(consumer.output())]).toEqual([]);
    const batches = consumer
      .output()
      .split("\n")
      .filter((line) => line.includes('"message":"Batch"'));
    expect(batches).toHaveLength(consumer.invocations.length);
    const bytes = batches.reduce((sum, line) => sum + line.length + LOG_EVENT_BYTES, 0) / batches.length;
    expect(bytes).toBeLessThanOrEqual(UNIT_WORK.logBytesPerBatch);
  });

  it("measures lag and memory", () => {
    const newest = jsonLines(stage.functions.consumer.output()).findLast((line) => "memoryRssMb" in line);
    expect(newest?.["memoryRssMb"]).toBeGreaterThan(30);
    // The recording began an hour ago and spans six minutes.
    expect(newest?.["endToEndLagSeconds"]).toBeGreaterThan(3_000);
    expect(sumOfFigure(stage.functions.reader.output(), "readerLagSeconds")).toBeGreaterThan(3_000);
    // Said at every tick, zeros too.
    const ticks = jsonLines(stage.functions.reader.output()).filter((line) => "memoryRssMb" in line);
    expect(ticks.length).toBeGreaterThan(0);
    for (const values of ticks) {
      expect(values["waitingSeconds"]).toBe(0);
      expect(values["oldestDueSeconds"]).toBeLessThan(60);
    }
  });

  it("has the lines of a long-lived process as messages, their figures beside them", () => {
    const lines = jsonLines(stage.functions.reader.output());
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: "INFO",
        message: expect.stringMatching(/^\[BACKFILL\] Resource throttling config:\n {2}- Batch size: 100 events\n/),
        runId: final.runId,
        stage: "pipeline",
      }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({
        message: expect.stringMatching(
          `^\\[BACKFILL\\] Progress: ${expected.events} received, ${expected.events} processed, 0 skipped \\(\\d+\\.\\d evt/s\\)$`,
        ),
        received: expected.events,
        processed: expected.events,
        status: "succeeded",
      }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ message: expect.stringMatching(/^\[BACKFILL\] Memory: \d+MB \/ 512MB limit$/) }),
    );
    const consumer = jsonLines(stage.functions.consumer.output());
    expect(consumer.filter(({ level }) => level === "WARN" || level === "ERROR")).toEqual([]);
  });

  it("shows each consumer's memory and connection in the run's notes", async () => {
    const reports = await stage.store.listConsumers(final.runId ?? "");
    expect(reports).toHaveLength(stage.functions.consumer.environments.length);
    for (const report of reports) expect(report).toMatchObject({ limitMb: 512, poolSize: 1 });
  });
});
