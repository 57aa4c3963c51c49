/**
 * An upgrade in the middle of a run, and the way back. The version before is real: bundled from git history, it and the
 * present one work on one queue, one table and one database. What the present version will be to the next one is seen with a
 * step of a schema that does not exist yet.
 */
import { memoryLog, type MemoryLog } from "@firehose-backfill/embedded/relay-log";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { migrate } from "@firehose-backfill/sink-postgres/schema/migrate";
import { type Migration, MIGRATIONS, SCHEMA_VERSION } from "@firehose-backfill/sink-postgres/schema/migrations";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assertSameTables } from "../support/compare.ts";
import { expectedTables, type Expected } from "../support/oracle.ts";
import { temporaryFolder } from "../support/program.ts";
import { pdsFrames } from "../support/recordings.ts";
import { sumOfFigure, sumOfMetric } from "./metric-lines.ts";
import { bundleCommit, fileOf, hasCommit } from "./older-version.ts";
import { type Functions, type Services, type Stage, startServices } from "./stage.ts";

/** The last version of the main branch with the schema before the present one. There is no release yet: then, the last one. */
const VERSION_BEFORE = "82c669ef4206311c1a8b62c68f25f37e9040f738";
/** Before a program could live with a newer schema: it stops the run where a later one waits. */
const STRICT = "deb43d12673ff40175fe3ffab304db5e0743e026";
/** Further back: another schema, another version of messages, another version of the items in the table. */
const MUCH_OLDER = "cb2f5e3d2a10f0bd1a202772f02fde0862db492d";

const PARTS = 4;
const RETURNS_AFTER_SECONDS = 3;

let services: Services;
let frames: readonly Uint8Array[];
let expected: Expected;
let lastSeq: number;

beforeAll(async () => {
  const log = resealedLog({ frames: pdsFrames(), copies: 1, seed: "upgrade", firstTimeMs: Date.now() - 3_600_000 });
  lastSeq = log.headSeq;
  frames = [...log.after(0)].map(({ frame }) => frame);
  [services, expected] = await Promise.all([startServices(), expectedTables(frames)]);
}, 120_000);

afterAll(async () => services[Symbol.asyncDispose]());

interface GrowingRelay extends AsyncDisposable {
  readonly url: string;
  /** It gets a further quarter of the frames. */
  grow(): void;
}

/** A relay that has a quarter of the frames. */
async function growingRelay(): Promise<GrowingRelay> {
  const log: MemoryLog = memoryLog();
  const relay = await startReplayRelay({ frames: log });
  let part = 0;
  const grow = () => {
    const share = Math.ceil(frames.length / PARTS);
    log.append(frames.slice(part * share, (part + 1) * share));
    part += 1;
    relay.wake();
  };
  grow();
  return { url: relay.url, grow, [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose]() };
}

const TICK = { action: "tick" };

async function begin(name: string, relay: GrowingRelay, bundles = services.bundles): Promise<Stage> {
  const stage = await services.newStage({
    name,
    relayUrl: relay.url,
    bundles,
    // One environment of a consumer, so that one of the version before is not begun after the schema has changed.
    maxConcurrent: 1,
    readerTimeoutMs: 8_000,
    visibilityTimeoutSeconds: RETURNS_AFTER_SECONDS,
  });
  const settings = { BACKFILL_BATCH_SIZE: 100, BACKFILL_BATCH_DELAY_MS: 0, BACKFILL_MAX_CONCURRENT: 1 };
  await stage.control({ action: "start", from: "oldest", to: String(lastSeq), settings });
  return stage;
}

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function numberOf(stage: Stage, sql: string): Promise<number> {
  const [row] = await stage.database.query(sql, []).catch(() => []);
  return Number(row?.["n"] ?? 0);
}
const rowsIn = (stage: Stage) => numberOf(stage, "select count(*)::int as n from firehose.records");
const schemaOf = (stage: Stage) => numberOf(stage, "select max(version) as n from firehose.schema_version");
/** The version before says it as a metric. */
const appliedBy = ({ consumer }: Functions) =>
  sumOfFigure(consumer.output(), "eventsApplied") + sumOfMetric(consumer.output(), "EventsApplied");

async function tickUntilOver(stage: Stage, { reader }: Functions): Promise<void> {
  await until(async () => {
    await reader.invoke(TICK);
    return (await stage.store.currentRun())?.status !== "running";
  });
}

/** Nothing stopped, nothing failed an attempt, and the rows and counts are those of an independent decoder. */
async function expectWhole(stage: Stage, all: readonly Functions[]): Promise<void> {
  expect(await stage.snapshot()).toMatchObject({
    status: "succeeded",
    received: expected.events,
    processed: expected.events,
    dead: 0,
    gaps: [],
  });
  await assertSameTables(stage.database.query, expected);
  expect(await stage.deadLetters()).toBe(0);
  for (const { consumer } of all) {
    const outcomes = new Set(consumer.invocations.map(({ outcome }) => outcome));
    expect([...outcomes].filter((outcome) => outcome !== "response" && outcome !== "throttled")).toEqual([]);
    expect(consumer.output()).not.toContain("attempt");
  }
}

const hasHistory = (await hasCommit(VERSION_BEFORE)) && (await hasCommit(STRICT)) && (await hasCommit(MUCH_OLDER));

describe.skipIf(!hasHistory)("from the version before (needs the whole git history, not a shallow clone)", () => {
  let before: string;
  let strict: string;
  let muchOlder: string;
  const stack = new AsyncDisposableStack();

  beforeAll(async () => {
    const { path } = stack.use(await temporaryFolder());
    before = await bundleCommit(VERSION_BEFORE, `${path}/before`);
    strict = await bundleCommit(STRICT, `${path}/strict`);
    muchOlder = await bundleCommit(MUCH_OLDER, `${path}/much-older`);
  }, 120_000);
  afterAll(() => stack[Symbol.asyncDispose]());

  it("issue 18.6: is one step of the schema behind; after a new step, name a newer commit here", async () => {
    const steps = await fileOf(VERSION_BEFORE, "packages/sink-postgres/src/schema/migrations.ts");
    expect(steps.match(/^const \w+: Migration = /gm)).toHaveLength(SCHEMA_VERSION - 1);
  });

  it("issue 18.6: both readers and consumers work side by side, the schema changes under them, and every row is right", async () => {
    await using relay = await growingRelay();
    await using stage = await begin("upgrade", relay, before);
    const old = stage.functions;
    // At first one mapping at a time, so that each version gets batches.
    {
      await using _ = stage.consume();
      await stage.tick();
      await until(async () => (await rowsIn(stage)) > 0);
    }
    relay.grow();
    await stage.tick();
    expect(await schemaOf(stage)).toBe(SCHEMA_VERSION - 1);

    const present = await stage.deploy(services.bundles);
    {
      await using _ = stage.consume(present.consumer);
      await until(async () => (await schemaOf(stage)) === SCHEMA_VERSION);
    }
    const appliedBefore = appliedBy(old);
    relay.grow();
    await present.reader.invoke(TICK);
    await using mappings = new AsyncDisposableStack();
    mappings.use(stage.consume());
    await until(async () => appliedBy(old) > appliedBefore);
    mappings.use(stage.consume(present.consumer));
    relay.grow();
    await stage.tick();
    await tickUntilOver(stage, present);

    expect(appliedBy(present)).toBeGreaterThan(0);
    await expectWhole(stage, [old, present]);
  }, 240_000);

  it("issue 18.6: of a much older one, messages, items and schema are taken over where they are", async () => {
    await using relay = await growingRelay();
    await using stage = await begin("older", relay, muchOlder);
    {
      await using _ = stage.consume();
      await stage.tick();
      await until(async () => (await rowsIn(stage)) > 0);
    }
    relay.grow();
    // A tick may end before it has read: its time is short, and the machine may be busy.
    await until(async () => {
      await stage.tick();
      return (await stage.snapshot()).queue.ready > 0;
    });
    expect(await schemaOf(stage)).toBe(4);

    const present = await stage.deploy(services.bundles);
    await using _ = stage.consume(present.consumer);
    for (let part = 2; part < PARTS; part += 1) relay.grow();
    await tickUntilOver(stage, present);
    expect(await schemaOf(stage)).toBe(SCHEMA_VERSION);
    await expectWhole(stage, [stage.functions, present]);
  }, 240_000);

  it("issue 18.6: a roll-back to a program that cannot use the schema says so; deployed again and resumed, nothing is missing", async () => {
    await using relay = await growingRelay();
    await using stage = await begin("rolledback", relay);
    {
      await using _ = stage.consume();
      await stage.tick();
      await until(async () => (await rowsIn(stage)) > 0);
    }
    relay.grow();
    const old = await stage.deploy(strict);
    {
      await using _ = stage.consume(old.consumer);
      await old.reader.invoke(TICK);
      await until(async () => (await stage.store.currentRun())?.status === "errored");
    }
    expect((await stage.store.currentRun())?.reason).toContain("deploy the newer program");

    await using _ = stage.consume();
    await stage.control({ action: "resume" });
    for (let part = 2; part < PARTS; part += 1) relay.grow();
    await tickUntilOver(stage, stage.functions);
    await expectWhole(stage, [stage.functions, old]);
  }, 240_000);
});

/** What a program after this one may do to the schema. */
const ADDS: Migration = {
  version: SCHEMA_VERSION + 1,
  statements: ["records", "repos", "dead_events"].map(
    (table) => `ALTER TABLE firehose.${table} ADD COLUMN of_a_newer_program text DEFAULT 'new'`,
  ),
  usableFrom: SCHEMA_VERSION,
};
const BREAKS: Migration = { version: SCHEMA_VERSION + 2, statements: [] };

describe("this version under the schema of a later one", () => {
  it("issue 18.6: goes on after a step that it can live with, in environments from before and in new ones, as after a roll-back", async () => {
    await using relay = await growingRelay();
    await using stage = await begin("additive", relay);
    const { databaseUrl } = stage;
    {
      await using _ = stage.consume();
      await stage.tick();
      await until(async () => (await rowsIn(stage)) > 0);
      await migrate({ databaseUrl }, [...MIGRATIONS, ADDS]);
      const appliedBefore = appliedBy(stage.functions);
      relay.grow();
      await stage.tick();
      await until(async () => appliedBy(stage.functions) > appliedBefore);
    }
    const cold = await stage.deploy(services.bundles);
    await using _ = stage.consume(cold.consumer);
    for (let part = 2; part < PARTS; part += 1) relay.grow();
    await tickUntilOver(stage, cold);
    expect(appliedBy(cold)).toBeGreaterThan(0);
    expect(await schemaOf(stage)).toBe(SCHEMA_VERSION + 1);
    await expectWhole(stage, [stage.functions, cold]);
  }, 240_000);

  it("issue 18.6: waits at one that it cannot use, the run open and no attempt counted, until the newer program is there", async () => {
    await using relay = await growingRelay();
    for (let part = 1; part < PARTS; part += 1) relay.grow();
    await using stage = await begin("breaking", relay);
    const { databaseUrl } = stage;
    await migrate({ databaseUrl }, [...MIGRATIONS, ADDS, BREAKS]);
    await stage.tick();
    await using _ = stage.consume();
    await until(async () => (await stage.store.currentRun())?.waiting != null);
    // It is noted after the wait.
    await until(async () => (await stage.snapshot()).errors.length > 0);
    const { status, errors } = await stage.snapshot();
    expect(status).toBe("running");
    expect(errors.map(({ message }) => message)).toContainEqual(expect.stringContaining("deploy the newer program"));
    // In the place of the deploy: the schema is this program's again.
    await stage.database.query("delete from firehose.schema_version where version > $1", [SCHEMA_VERSION]);
    await tickUntilOver(stage, stage.functions);
    await expectWhole(stage, [stage.functions]);
  }, 240_000);
});
