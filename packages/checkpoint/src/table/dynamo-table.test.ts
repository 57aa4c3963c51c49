import { type BatchWriteItemCommandOutput, GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { expect, test } from "vitest";
import { aRun, RUN } from "@firehose-backfill/testing/checkpoint/harness";
import { createDynamoClient } from "../dynamo-client.ts";
import { createDynamoStore } from "../dynamo-store.ts";
import { ensureTable } from "@firehose-backfill/testing/checkpoint/create-table";
import { runKey } from "../store/keys.ts";
import { createDynamoTable } from "./dynamo-table.ts";
import { ITEM_VERSION } from "./versioned-table.ts";
import { startDynalite } from "@firehose-backfill/testing/checkpoint/table-server";

test("a missing answer is retryable; a missing table is not", async () => {
  const server = await startDynalite();
  const client = createDynamoClient({ endpoint: server.endpoint });
  const store = createDynamoStore({ client, table: "no-such-table" });
  const isRetryable = async (): Promise<unknown> => {
    const error: unknown = await store.getRun(RUN).catch((it: unknown) => it);
    expect(error).toMatchObject({ name: "TableError" });
    return (
      error instanceof Error && "isRetryable" in error && typeof error.isRetryable === "function" && error.isRetryable()
    );
  };
  expect(await isRetryable()).toBe(false);
  await server[Symbol.asyncDispose]();
  expect(await isRetryable()).toBe(true);
  client.destroy();
});

test("a table is made once, whoever else makes it", async () => {
  await using server = await startDynalite();
  const client = createDynamoClient({ endpoint: server.endpoint });
  await Promise.all([ensureTable(client, "made-once"), ensureTable(client, "made-once")]);
  await ensureTable(client, "made-once");
  const store = createDynamoStore({ client, table: "made-once" });
  expect(await store.createRun(aRun())).toMatchObject({ runId: RUN });
  client.destroy();
});

test("an item of the version before is read, and a change gives it this version; a newer item is not changed", async () => {
  await using server = await startDynalite();
  const client = createDynamoClient({ endpoint: server.endpoint });
  await ensureTable(client, "versions");
  const store = createDynamoStore({ client, table: "versions" });
  await store.createRun(aRun());
  const key = { pk: { S: runKey(RUN).pk }, sk: { S: runKey(RUN).sk } };
  const versionNow = async () => {
    const { Item: item } = await client.send(
      new GetItemCommand({ TableName: "versions", Key: key, ConsistentRead: true }),
    );
    return item?.["v"]?.N ?? null;
  };
  const setVersion = async (version: number | null) => {
    const update = version === null ? "REMOVE v" : `SET v = :v`;
    const values = version === null ? {} : { ExpressionAttributeValues: { ":v": { N: String(version) } } };
    await client.send(new UpdateItemCommand({ TableName: "versions", Key: key, UpdateExpression: update, ...values }));
  };
  expect(await versionNow()).toBe(String(ITEM_VERSION));
  await setVersion(null);
  expect((await store.getRun(RUN))?.runId).toBe(RUN);
  await store.transition(RUN, ["running"], "running", { reason: "changed" });
  expect(await versionNow()).toBe(String(ITEM_VERSION));

  await setVersion(ITEM_VERSION + 1);
  const refused = /^item run#.* is of version 4, newer than this program reads/;
  await expect(store.getRun(RUN)).rejects.toThrow(refused);
  await expect(store.currentRun()).rejects.toThrow(refused);
  await expect(store.createRun(aRun({ runId: "another" }))).rejects.toThrow(refused);
  await expect(store.transition(RUN, ["running"], "running", { reason: "changed again" })).rejects.toThrow(refused);
  await setVersion(ITEM_VERSION);
  expect((await store.getRun(RUN))?.reason).toBe("changed");
  client.destroy();
});

test("the scope of a run is asked of the table once: every batch wants it", async () => {
  await using server = await startDynalite();
  const client = createDynamoClient({ endpoint: server.endpoint });
  const table = await server.newTable();
  await createDynamoStore({ client, table }).createRun(aRun());
  let queries = 0;
  client.middlewareStack.add(
    (next, context) => (args) => {
      if (context.commandName === "QueryCommand") queries += 1;
      return next(args);
    },
    { step: "build", name: "countQueries" },
  );
  const store = createDynamoStore({ client, table });
  expect(await store.getScope("another run")).toBeNull();
  for (let batch = 0; batch < 3; batch += 1) expect(await store.getScope(RUN)).toEqual(aRun().scope);
  expect(queries).toBe(2);
  client.destroy();
});

test("issue 19.3: many items are removed with one request, and what DynamoDB leaves undone is sent again", async () => {
  await using server = await startDynalite();
  const client = createDynamoClient({ endpoint: server.endpoint });
  const name = await server.newTable();
  const table = createDynamoTable(client, name);
  const keys = Array.from({ length: 25 }, (_, index) => ({ pk: "ledger#a", sk: String(index).padStart(2, "0") }));
  for (const key of keys) await table.put(key, { v: 1 });
  const sent: number[] = [];
  let busyFor = 0;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName !== "BatchWriteItemCommand" || !("RequestItems" in args.input)) return next(args);
      const [requests = []] = Object.values(args.input.RequestItems ?? {});
      if (!Array.isArray(requests)) throw new Error("no list of requests");
      sent.push(requests.length);
      if (busyFor <= 0) return next(args);
      busyFor -= 1;
      const output: BatchWriteItemCommandOutput = { $metadata: {}, UnprocessedItems: { [name]: requests.slice(-2) } };
      return { response: {}, output };
    },
    { step: "initialize", name: "busy" },
  );
  busyFor = 3;
  await expect(table.deleteMany(keys)).rejects.toMatchObject({ name: "TableError" });
  expect(sent.splice(0)).toEqual([25, 2, 2]);
  busyFor = 1;
  await table.deleteMany(keys);
  expect(sent.splice(0)).toEqual([25, 2]);
  expect((await table.query({ pk: "ledger#a", from: "0", to: "~" })).map(({ sk }) => sk)).toEqual(
    keys.slice(0, -2).map(({ sk }) => sk),
  );
  await table.deleteMany(keys);
  expect(sent).toEqual([25]);
  expect(await table.query({ pk: "ledger#a", from: "0", to: "~" })).toEqual([]);
  client.destroy();
});
