/** From the relay to the tables through the bundled functions, each run as Lambda runs it, against an independent judge. */
import { resealedLog } from "@firehose-backfill/embedded/relay-reseal";
import { type ReplayRelay, startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assertSameTables } from "../support/compare.ts";
import { expectedTables, type Expected } from "../support/oracle.ts";
import { pdsFrames } from "../support/recordings.ts";
import { type Services, type Stage, startServices } from "./stage.ts";

let services: Services;
let relay: ReplayRelay;
let expected: Expected;
let stage: Stage;

beforeAll(async () => {
  const log = resealedLog({ frames: pdsFrames(), copies: 1, seed: "lambda", firstTimeMs: Date.now() - 3_600_000 });
  [services, relay, expected] = await Promise.all([
    startServices(),
    startReplayRelay({ frames: log }),
    expectedTables([...log.after(0)].map(({ frame }) => frame)),
  ]);
  stage = await services.newStage({ name: "pipeline", relayUrl: relay.url });
}, 120_000);

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await relay[Symbol.asyncDispose]();
  await services[Symbol.asyncDispose]();
});

describe("reader, queue, consumer, Postgres, status", () => {
  it("leaves exactly the rows that an independent decoder computes", async () => {
    await stage.control({
      action: "start",
      from: "oldest",
      to: String(relay.log.headSeq),
      settings: { BACKFILL_BATCH_SIZE: 100, BACKFILL_BATCH_DELAY_MS: 0 },
    });
    await using _ = stage.consume();
    const snapshot = await stage.tickUntil(({ status }) => status !== "running");
    expect(snapshot).toMatchObject({ status: "succeeded", received: expected.events, processed: expected.events });
    await assertSameTables(stage.database.query, expected);
    console.log(stage.functions.reader.output());
    console.log(stage.functions.consumer.output().slice(0, 3000));
    const { invocations } = stage.functions.consumer;
    console.log(
      invocations.length,
      invocations.reduce((s, i) => s + i.billedMs, 0) / expected.events,
      invocations.map((i) => i.billedMs).slice(0, 50),
    );
    console.log(
      await Promise.all(Object.values(stage.functions).flatMap((f) => f.environments.map((e) => e.importMs))),
    );
  }, 60_000);
});
