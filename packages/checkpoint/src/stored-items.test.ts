/**
 * A data folder outlives the program that wrote it. testing/src/checkpoint/written-items.json is what commit 9abfca2, whose store spoke
 * to DynamoDB directly and kept the pace in the run item, left behind of written-items.ts: an item of every kind,
 * in DynamoDB's own words. written-items-2.json is the same of commit 7fb6301, which knew one run and kept its id in the item `pointer`.
 * testing/src/checkpoint/items-of-version-3.json is what this program leaves behind.
 */
import { readFileSync } from "node:fs";
import { gunzipSync, inflateRawSync } from "node:zlib";
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { readState } from "@firehose-backfill/firehose/relay-state";
import { type Cursor, cursorAt } from "@firehose-backfill/source/cursor";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  aRun,
  DEAD,
  finish,
  advanceAll,
  keyOf,
  register,
  RUN,
  take,
  theRun,
} from "@firehose-backfill/testing/checkpoint/harness";
import { startDynalite, type TableServer } from "@firehose-backfill/testing/checkpoint/table-server";
import { FIXED, writeAnItemOfEachKind } from "@firehose-backfill/testing/checkpoint/written-items";
import { createStore } from "./create-store.ts";
import { createDynamoClient } from "./dynamo-client.ts";
import { createDynamoStore } from "./dynamo-store.ts";
import { DEFAULT_PACE_ID } from "./pace.ts";
import type { Run } from "./run.ts";
import { toItem } from "./table/dynamo-values.ts";
import { createMemoryTable } from "@firehose-backfill/testing/checkpoint/memory-table";
import type { Item } from "./table/table.ts";

type Stored = Readonly<Record<string, AttributeValue>>;
/** A run as that program read it. It is a relay's run, and the facts of the relay's reader are separate fields. */
type WrittenCursor = { readonly seq: number; readonly timeMs: number };
type WrittenRun = Omit<
  Run,
  | "source"
  | "sourceState"
  | "sourceMoved"
  | "progress"
  | "keptSinceMs"
  | "generation"
  | "paceVersion"
  | "appliedWindow"
  | CursorName
> &
  Readonly<Record<CursorName, WrittenCursor | null>> & {
    readonly host: string;
    readonly startReached: boolean;
    readonly recentTimesMs: readonly number[];
    readonly hostSeen: boolean;
    readonly brokenFrames: number;
    readonly oldestKeptMs: number | null;
    readonly epoch: number;
    readonly paceEpoch: number;
    readonly folded: number;
  };
const CURSORS = ["startPosition", "readerCursor", "appliedCursor", "target"] as const;
type CursorName = (typeof CURSORS)[number];

const written: { readonly items: readonly Stored[]; readonly run: WrittenRun } = read("written-items.json");
const ofVersion2: { readonly items: readonly Stored[]; readonly run: Omit<Run, "name" | "quiet"> } =
  read("written-items-2.json");

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what a file holds is known to the one who wrote it
function read<T>(name: string): T {
  const text = readFileSync(new URL(`../../testing/src/checkpoint/${name}`, import.meta.url), "utf8");
  const value: T = JSON.parse(text, (key: string, held: unknown) =>
    key === "B" && typeof held === "string" ? Buffer.from(held, "base64") : held,
  );
  return value;
}

/** The same run as this program reads it, with fields that the older program did not have. */
function runOfBefore(sourceState: Run["sourceState"]): Run {
  const {
    host,
    startReached: _start,
    recentTimesMs: _times,
    hostSeen: _host,
    brokenFrames: _broken,
    ...rest
  } = written.run;
  const { oldestKeptMs, startPosition, readerCursor, appliedCursor, target, epoch, paceEpoch, folded, ...same } = rest;
  return {
    ...same,
    generation: epoch,
    paceVersion: paceEpoch,
    appliedWindow: folded,
    startPosition: cursorOf(startPosition),
    readerCursor: cursorOf(readerCursor),
    appliedCursor: cursorOf(appliedCursor),
    target: cursorOf(target),
    source: { kind: "relay", host },
    sourceState,
    sourceMoved: false,
    progress: null,
    keptSinceMs: oldestKeptMs,
    paceId: DEFAULT_PACE_ID,
    database: null,
    name: null,
    quiet: null,
    seen: null,
  };
}

/** The items as plain values, sorted by their keys. */
const itemsOfNow: readonly Record<string, unknown>[] = read("items-of-version-3.json");

let server: TableServer;
let client: DynamoDBClient;
beforeAll(async () => {
  server = await startDynalite();
  client = createDynamoClient({ endpoint: server.endpoint });
});
afterAll(async () => {
  client.destroy();
  await server[Symbol.asyncDispose]();
});

test("items of an older program are read, and their run continues", async () => {
  const store = createDynamoStore({ client, table: await tableOfBefore(), ...FIXED });
  const run = await theRun(store);
  expect(run).toEqual(runOfBefore(run.sourceState));
  // The relay's kit finds the same facts in the state.
  const { startReached, recentTimesMs, hostSeen, brokenFrames } = written.run;
  expect(readState(run.sourceState)).toEqual({ startReached, recentTimesMs, hostSeen, brokenFrames });
  expect(await store.currentRun({ openOnly: true })).toEqual(run);
  expect(await store.getScope(RUN)).toEqual(aRun().scope);
  expect(await store.getHistory(RUN)).toBe('{"points":[1,2,3]}');
  expect([await store.listErrors(RUN), await store.listGaps(RUN), await store.listConsumers(RUN)]).toMatchObject([
    [{ message: "away" }],
    [{ reason: "retention" }],
    [{ id: "a" }],
  ]);
  const [open] = await store.openWindows(await theRun(store), 10);
  expect(open?.entries).toMatchObject([{ waits: 1 }, { outcome: "dead", counts: DEAD }]);

  if (open === undefined) throw new Error("window 2 is open");
  await finish(store, keyOf(open.window, 0));
  const { lease } = await take(store, { owner: "a-newer-reader" });
  await advanceAll(store, lease);
  await register(store, lease, { number: 3, batches: 0, events: 0 });
  expect(await advanceAll(store, lease)).toMatchObject({
    appliedWindow: 3,
    totals: { received: 42, processed: 15, dead: 5 },
  });
});

test("an older program's pace is carried over at the first write to it, and its slots stay valid", async () => {
  const store = createDynamoStore({ client, table: await tableOfBefore() });
  const { plannedDueMs, paceVersion, sources, sourceState } = await theRun(store);
  const slots = { expectedMs: plannedDueMs, nextMs: plannedDueMs + 800, paceVersion };
  expect(await store.reserveSlots(DEFAULT_PACE_ID, slots)).toBe(true);
  expect(await store.reserveSlots(DEFAULT_PACE_ID, slots)).toBe(false);
  expect(await store.takeSlot(DEFAULT_PACE_ID, { intervalMs: 400, nowMs: 0 })).toEqual({
    dueMs: plannedDueMs + 800,
    paceVersion,
  });
  expect(await theRun(store)).toEqual({ ...runOfBefore(sourceState), sources, plannedDueMs: plannedDueMs + 1200 });
});

test("an older program cannot change a run any more once its pace is carried over", async () => {
  const table = await tableOfBefore();
  const store = createDynamoStore({ client, table, ...FIXED });
  await theRun(store);
  await store.setWaiting(DEFAULT_PACE_ID, null);
  const key = { pk: { S: `run#${RUN}` }, sk: { S: "run" } };
  const { Item: item = {} } = await client.send(
    new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }),
  );
  // The older program writes only on the condition that v is at most 1.
  expect(item).toMatchObject({ v: { N: "3" }, paceId: { S: DEFAULT_PACE_ID } });
  expect(["plannedDueMs", "throttle", "tunes", "reserveMark", "waitingFor"].filter((name) => name in item)).toEqual([]);
});

describe("issue 14.5: a table of the version that knew one run", () => {
  test("its open run is read as it was, and is the one in the list", async () => {
    const store = createDynamoStore({ client, table: await tableOfBefore(ofVersion2), ...FIXED });
    const run = { ...ofVersion2.run, name: null, quiet: null, progress: null };
    expect(await store.openRuns()).toEqual([run]);
    expect(await store.currentRun()).toEqual(run);
    expect(await store.findRun(RUN)).toEqual(run);
    expect(await store.pastRuns({ limit: 10 })).toEqual([]);
    expect(await store.getScope(RUN)).toEqual(aRun().scope);
  });

  test("another run begins beside it and joins its pace; from then on the older program changes nothing", async () => {
    const table = await tableOfBefore(ofVersion2);
    const store = createDynamoStore({ client, table, ...FIXED });
    const [before] = await store.openRuns();
    const throttle = { ...aRun().throttle, batchSize: 50 };
    const second = await store.createRun(aRun({ runId: "run-2", name: "nightly", throttle }));
    expect(second).toMatchObject({ name: "nightly", throttle: before?.throttle, plannedDueMs: before?.plannedDueMs });
    expect((await store.openRuns()).map(({ runId }) => runId)).toEqual([RUN, "run-2"]);
    const { Item: pointer } = await client.send(
      new GetItemCommand({ TableName: table, Key: { pk: { S: "pointer" }, sk: { S: "pointer" } } }),
    );
    // The older program neither reads nor changes items above version 2.
    expect(pointer).toMatchObject({ runId: { S: RUN }, v: { N: "3" } });
  });

  test("its finished run is the last one, and stays in the list once another begins", async () => {
    const items = ofVersion2.items.map((item) => {
      if (item["pk"]?.S === "pointer") return { ...item, open: { BOOL: false } };
      return item["sk"]?.S === "run" ? { ...item, status: { S: "cancelled" } } : item;
    });
    const store = createDynamoStore({ client, table: await tableOfBefore({ items }), ...FIXED });
    expect(await store.openRuns()).toEqual([]);
    expect((await store.pastRuns({ limit: 10 })).map(({ runId }) => runId)).toEqual([RUN]);
    await store.createRun(aRun({ runId: "run-2" }));
    expect((await store.pastRuns({ limit: 10 })).map(({ runId }) => runId)).toEqual([RUN]);
  });
});

/** Creates a table with the items that an older program left. */
async function tableOfBefore({ items }: { readonly items: readonly Stored[] } = written): Promise<string> {
  const table = await server.newTable();
  for (const item of items) await client.send(new PutItemCommand({ TableName: table, Item: { ...item } }));
  return table;
}

test("this program writes the same items, into either table", async () => {
  const table = await server.newTable();
  await writeAnItemOfEachKind(createDynamoStore({ client, table, ...FIXED }));
  const { Items: stored = [] } = await client.send(new ScanCommand({ TableName: table }));
  expect(sorted(stored.map((item) => plain(toItem(item))))).toEqual(itemsOfNow);

  const memory = createMemoryTable();
  await writeAnItemOfEachKind(createStore(memory, FIXED));
  const partitions = new Set(itemsOfNow.map((item) => String(item["pk"])));
  const all = await Promise.all([...partitions].map((pk) => memory.query({ pk, from: "!", to: "~" })));
  expect(sorted(all.flat().map(plain))).toEqual(itemsOfNow);
});

function cursorOf(stored: WrittenCursor | null): Cursor | null {
  return stored === null ? null : cursorAt(stored.seq, stored.timeMs);
}

function sorted(items: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const keyTextOf = (item: Record<string, unknown>) => `${String(item["pk"])}${String(item["sk"])}`;
  return items.toSorted((a, b) => (keyTextOf(a) < keyTextOf(b) ? -1 : 1));
}

/** Packed values are compared unpacked, because another zlib may pack them differently. */
function plain(item: Item): Record<string, unknown> {
  const texts: Record<string, unknown> = { ...item };
  if (item["body"] instanceof Uint8Array) texts["body"] = gunzipSync(item["body"]).toString();
  if (item["state"] instanceof Uint8Array) texts["state"] = inflateRawSync(item["state"]).toString();
  if (item["tunes"] instanceof Uint8Array) texts["tunes"] = inflateRawSync(item["tunes"]).toString();
  return texts;
}
