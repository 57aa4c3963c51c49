import { expect, test } from "vitest";
import { aRun, RUN } from "../conformance/harness.ts";
import { createDynamoClient } from "../dynamo-client.ts";
import { createDynamoStore } from "../dynamo-store.ts";
import { ensureTable } from "../create-table.ts";
import { startDynalite } from "./test-tables.ts";

test("an answer that does not come may come later; a table that is not there will not", async () => {
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
