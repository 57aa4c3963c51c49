/**
 * From frames to tables without queue and pace: decode, verify, apply on a real Postgres, and ask the oracle. In order,
 * and in an order that no relay has, in batches of odd sizes, some of them twice: the tables must be the same.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toRows } from "@firehose-backfill/backfill/to-rows";
import { systemClock } from "@firehose-backfill/core/clock";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { extracted } from "@firehose-backfill/testing/firehose/extracted";
import { compileFilter } from "@firehose-backfill/firehose/filter";
import { readFrame } from "@firehose-backfill/firehose/frame";
import { openDatabase } from "@firehose-backfill/sink-postgres/connection";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";
import { createSink } from "@firehose-backfill/sink-postgres/sink";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { compareTables, type Query, type Row } from "./support/compare.ts";
import { accountFrame, commitFrame, identityFrame, syncFrame } from "./support/make-frame.ts";
import { expectedTables } from "./support/oracle.ts";
import { mixedFrames, pdsFrames, sampleFrames } from "./support/recordings.ts";

let folder: string;
let postgres: Postgres;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "frames-to-tables-"));
  postgres = await startPostgres({ dataDir: folder });
  await openSink(postgres.databaseUrl).migrate();
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await using database = openDatabase({ databaseUrl: postgres.databaseUrl, poolSize: 1 });
  await database.use([{ sql: "truncate firehose.records, firehose.repos, firehose.dead_events" }], () =>
    Promise.resolve(),
  );
});

/** Each row as one JSON text: the sink's connection gives neither names nor types. */
const query: Query = async (sql, values) => {
  await using database = openDatabase({ databaseUrl: postgres.databaseUrl, poolSize: 1 });
  const statement = { sql: `select to_jsonb(q)::text from (${sql}) as q`, values: values.map(String) };
  const rows = await database.use([statement], (_session, [result]) => Promise.resolve(result?.rows ?? []));
  return rows.map(([text]): Row => JSON.parse(text ?? "null"));
};

function eventsOf(frames: readonly Uint8Array[]): FirehoseEvent[] {
  const rules = {
    filter: compileFilter({ collections: [], dids: [] }),
    verify: "hash",
    isAhead: (momentMs: number, timeMs: number) => momentMs > timeMs && momentMs > Date.now(),
  } as const;
  return frames.flatMap((bytes) => {
    const buffer = Buffer.from(bytes);
    const frame = readFrame(buffer);
    if (!("did" in frame)) throw new Error(`a ${frame.kind} frame`);
    return extracted(frame, rules).events;
  });
}

async function apply(events: readonly FirehoseEvent[], batchSizes: readonly number[]): Promise<void> {
  await using sink = createSink({
    databaseUrl: postgres.databaseUrl,
    poolSize: 1,
    clock: systemClock,
    random: () => 0,
    throttleQuery: null,
  });
  for (let at = 0, batch = 0; at < events.length; batch += 1) {
    const size = batchSizes[batch % batchSizes.length] ?? 1;
    const rows = toRows(events.slice(at, at + size), "hash");
    at += size;
    const result = await sink.apply({ runId: "r", generation: 1, window: 1, fence: 1, number: 0 }, rows, {
      lock: { name: "r", maxConcurrent: 1, isOnTime: () => true },
    });
    expect(result.kind).toBe("applied");
  }
}

/** The same order at every run. */
function shuffle<T>(items: readonly T[]): T[] {
  let state = 1;
  const keyed = items.map((item) => {
    state = (state * 48_271) % 2_147_483_647;
    return [state, item] as const;
  });
  return keyed.toSorted(([a], [b]) => a - b).map(([, item]) => item);
}

test.each([
  ["the sample relay's recording", sampleFrames],
  ["the mixed recording", mixedFrames],
])("%s, five events a batch", async (_name, read) => {
  const frames = read();
  const events = eventsOf(frames);
  const expected = await expectedTables(frames);
  expect(events).toHaveLength(expected.events);
  await apply(events, [5]);
  expect(await compareTables(query, expected)).toEqual([]);
});

test("a long recording, in order and then all of it again", async () => {
  const frames = pdsFrames();
  const events = eventsOf(frames);
  const expected = await expectedTables(frames);
  expect(events).toHaveLength(expected.events);
  await apply(events, [500, 1, 37]);
  expect(await compareTables(query, expected)).toEqual([]);
  await apply(events, [1000]);
  expect(await compareTables(query, expected)).toEqual([]);
});

test("a long recording, shuffled, with every fifth event twice", async () => {
  const frames = pdsFrames();
  const events = eventsOf(frames);
  await apply(shuffle([...events, ...events.filter((_event, i) => i % 5 === 0)]), [200, 3, 61]);
  expect(await compareTables(query, await expectedTables(frames))).toEqual([]);
});

test("accounts that go and come back, and what Postgres cannot hold, in any order", async () => {
  const did = "did:plc:aliceaaaaaaaaaaaaaaaaaaa";
  const write = (seq: number, rev: string, rkey: string, record: unknown = { n: seq }) =>
    commitFrame({ seq, did, rev, ops: [{ action: "create", path: `com.example.thing/${rkey}`, record }] });
  const frames = [
    identityFrame({ seq: 1, did, handle: "old.test" }),
    write(2, "3aaaaaaaaaa2a", "a"),
    write(3, "3aaaaaaaaab2a", "nul", { text: "\0" }),
    commitFrame({ seq: 4, did, rev: "3aaaaaaaaac2a", ops: [{ action: "delete", path: "com.example.thing/a" }] }),
    accountFrame({ seq: 5, did, active: false, status: "deleted" }),
    accountFrame({ seq: 6, did, active: true }),
    write(7, "3aaaaaaaaad2a", "a"),
    identityFrame({ seq: 8, did, handle: "new.test" }),
    identityFrame({ seq: 9, did }),
    syncFrame({ seq: 10, did, rev: "3aaaaaaaaae2a" }),
  ];
  const expected = await expectedTables(frames);
  expect([expected.records.size, expected.dead.length]).toEqual([1, 1]);
  const events = eventsOf(frames);
  for (const order of [events, events.toReversed(), shuffle(events)]) {
    await apply(order, [3]);
    expect(await compareTables(query, expected)).toEqual([]);
  }
});
