/**
 * A data folder outlives the program that wrote it. testing/src/checkpoint/written-items.json is what commit 9abfca2, whose store spoke
 * to DynamoDB directly, left behind of written-items.ts: an item of every kind, in DynamoDB's own words.
 */
import { readFileSync } from "node:fs";
import { gunzipSync, inflateRawSync } from "node:zlib";
import { type AttributeValue, type DynamoDBClient, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
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

type Stored = Readonly<Record<string, AttributeValue>>;

/** What a run has since then. */
const RUN_SINCE = { database: null, seen: null };
/** What this program adds to an item of before: by when a window should be applied, for the alarm on what is overdue. */
const addedSince = (item: Record<string, unknown>) =>
  String(item["sk"]).startsWith("window#") ? { lastDueMs: NOW + 1_000.5 } : {};

const written: { readonly items: readonly Stored[]; readonly run: Run } = JSON.parse(
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
  expect(await theRun(store)).toEqual({ ...written.run, ...RUN_SINCE });
  expect(await store.currentRun({ openOnly: true })).toEqual({ ...written.run, ...RUN_SINCE });
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
  const expected = written.items
    .map((it) => plain(toItem(it)))
    .map((it): Record<string, unknown> => ({ ...it, ...addedSince(it) }));
  expect(sorted(items.map((item) => plain(toItem(item))))).toEqual(expected);

  const memory = createMemoryTable();
  await writeAnItemOfEachKind(createStore(memory, FIXED));
  const partitions = new Set(expected.map((item) => String(item["pk"])));
  const all = await Promise.all([...partitions].map((pk) => memory.query({ pk, from: "!", to: "~" })));
  expect(sorted(all.flat().map(plain))).toEqual(expected);
});

function sorted(items: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const keyTextOf = (item: Record<string, unknown>) => `${String(item["pk"])}${String(item["sk"])}`;
  return items.toSorted((a, b) => (keyTextOf(a) < keyTextOf(b) ? -1 : 1));
}

/** What is packed is unpacked: another zlib may pack it otherwise. */
function plain(item: Item): Record<string, unknown> {
  const texts: Record<string, unknown> = { ...item };
  if (item["body"] instanceof Uint8Array) texts["body"] = gunzipSync(item["body"]).toString();
  if (item["tunes"] instanceof Uint8Array) texts["tunes"] = inflateRawSync(item["tunes"]).toString();
  if (item["recentTimes"] instanceof Uint8Array)
    texts["recentTimes"] = Buffer.from(item["recentTimes"]).toString("hex");
  return texts;
}
