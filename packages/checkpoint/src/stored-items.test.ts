/**
 * A data folder outlives the program that wrote it. testing/src/checkpoint/written-items.json is what commit 9abfca2, whose store spoke
 * to DynamoDB directly, left behind of written-items.ts: an item of every kind, in DynamoDB's own words.
 */
import { readFileSync } from "node:fs";
import { gunzipSync, inflateRawSync } from "node:zlib";
import { type AttributeValue, type DynamoDBClient, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { readState } from "@firehose-backfill/firehose/relay-state";
import { type Cursor, cursorAt } from "@firehose-backfill/source/cursor";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  aRun,
  DEAD,
  finish,
  foldAll,
  keyOf,
  NOW,
  register,
  RUN,
  STATE,
  take,
  theRun,
} from "@firehose-backfill/testing/checkpoint/harness";
import { startDynalite, type TableServer } from "@firehose-backfill/testing/checkpoint/table-server";
import { FIXED, writeAnItemOfEachKind } from "@firehose-backfill/testing/checkpoint/written-items";
import { createStore } from "./create-store.ts";
import { createDynamoClient } from "./dynamo-client.ts";
import { createDynamoStore } from "./dynamo-store.ts";
import type { Run } from "./run.ts";
import { toItem } from "./table/dynamo-values.ts";
import { createMemoryTable } from "@firehose-backfill/testing/checkpoint/memory-table";
import type { Item } from "./table/table.ts";
import { ITEM_VERSION } from "./table/versioned-table.ts";

type Stored = Readonly<Record<string, AttributeValue>>;
/** A run as that program read it: a relay's, with the facts of the relay's reader as fields of its own. */
type WrittenCursor = { readonly seq: number; readonly timeMs: number };
type WrittenRun = Omit<Run, "source" | "sourceState" | "sourceMoved" | "keptSinceMs" | CursorName> &
  Readonly<Record<CursorName, WrittenCursor | null>> & {
    readonly host: string;
    readonly startReached: boolean;
    readonly recentTimesMs: readonly number[];
    readonly hostSeen: boolean;
    readonly brokenFrames: number;
    readonly oldestKeptMs: number | null;
  };
const CURSORS = ["startPosition", "readerCursor", "appliedCursor", "target"] as const;
type CursorName = (typeof CURSORS)[number];
/** What a run has had since, where nothing is stored of it. */
const LATER_FIELDS = { database: null, seen: null };

const written: { readonly items: readonly Stored[]; readonly run: WrittenRun } = JSON.parse(
  readFileSync(new URL("../../testing/src/checkpoint/written-items.json", import.meta.url), "utf8"),
  (name: string, value: unknown) => (name === "B" && typeof value === "string" ? Buffer.from(value, "base64") : value),
);

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

test("items of before are read, and their run goes on", async () => {
  const table = await server.newTable();
  for (const item of written.items) await client.send(new PutItemCommand({ TableName: table, Item: { ...item } }));
  const store = createDynamoStore({ client, table, ...FIXED });
  const run = await theRun(store);
  const { host, startReached, recentTimesMs, hostSeen, brokenFrames, oldestKeptMs, ...same } = written.run;
  expect(run).toEqual({
    ...same,
    ...Object.fromEntries(CURSORS.map((name) => [name, cursorOf(written.run[name])])),
    source: { kind: "relay", host },
    sourceState: run.sourceState,
    sourceMoved: false,
    keptSinceMs: oldestKeptMs,
    ...LATER_FIELDS,
  });
  // The relay's kit finds its facts in the state, as they were.
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
  await foldAll(store, lease);
  await register(store, lease, { number: 3, batches: 0, events: 0 });
  expect(await foldAll(store, lease)).toMatchObject({ folded: 3, totals: { received: 42, processed: 15, dead: 5 } });
});

test("this program writes the same items, into either table", async () => {
  const table = await server.newTable();
  await writeAnItemOfEachKind(createDynamoStore({ client, table, ...FIXED }));
  const { Items: items = [] } = await client.send(new ScanCommand({ TableName: table }));
  const expected = written.items.map((item) => plain(carriedOver(toItem(item))));
  expect(sorted(items.map((item) => plain(toItem(item))))).toEqual(expected);

  const memory = createMemoryTable();
  await writeAnItemOfEachKind(createStore(memory, FIXED));
  const partitions = new Set(expected.map((item) => String(item["pk"])));
  const all = await Promise.all([...partitions].map((pk) => memory.query({ pk, from: "!", to: "~" })));
  expect(sorted(all.flat().map(plain))).toEqual(expected);
});

/** An item of before as this program writes it: the facts of the relay's reader are its state, a window knows its last place. */
function carriedOver(before: Item): Item {
  const item = { ...before, v: ITEM_VERSION };
  if (before["sentAtMs"] !== undefined) return { ...item, lastDueMs: NOW + 1_000.5 };
  if (before["hostSeen"] === undefined) return item;
  const { startReached: _start, hostSeen: _host, brokenFrames: _broken, recentTimes: _times, ...same } = before;
  return { ...same, v: ITEM_VERSION, state: STATE, moved: false };
}

function cursorOf(stored: WrittenCursor | null): Cursor | null {
  return stored === null ? null : cursorAt(stored.seq, stored.timeMs);
}

function sorted(items: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const keyTextOf = (item: Record<string, unknown>) => `${String(item["pk"])}${String(item["sk"])}`;
  return items.toSorted((a, b) => (keyTextOf(a) < keyTextOf(b) ? -1 : 1));
}

/** What is packed is unpacked: another zlib may pack it otherwise. */
function plain(item: Item): Record<string, unknown> {
  const texts: Record<string, unknown> = { ...item };
  if (item["body"] instanceof Uint8Array) texts["body"] = gunzipSync(item["body"]).toString();
  if (item["state"] instanceof Uint8Array) texts["state"] = inflateRawSync(item["state"]).toString();
  if (item["tunes"] instanceof Uint8Array) texts["tunes"] = inflateRawSync(item["tunes"]).toString();
  return texts;
}
