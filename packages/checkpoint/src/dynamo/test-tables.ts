/** Tables for tests: dynalite in this process, and clients that have faults. */
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";
import type { Step } from "../conformance/harness.ts";
import { ensureTable } from "../create-table.ts";
import { createDynamoClient } from "../dynamo-client.ts";

export interface TableServer extends AsyncDisposable {
  readonly endpoint: string;
  /** A new, empty table. */
  readonly newTable: () => Promise<string>;
}

export async function startDynalite(): Promise<TableServer> {
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("dynalite has no port");
  return tableServer(`http://127.0.0.1:${address.port}`, async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
}

export function tableServer(endpoint: string, stop: () => Promise<void>): TableServer {
  const client = createDynamoClient({ endpoint });
  let tables = 0;
  return {
    endpoint,
    async newTable() {
      tables += 1;
      const name = `table-${tables}`;
      await ensureTable(client, name);
      return name;
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await stop();
    },
  };
}

/** Sends every write twice and hands out the second answer: what the SDK does when the first one is lost. */
export function tellTwice(client: DynamoDBClient): DynamoDBClient {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (isWrite(context.commandName)) await next(args).catch(() => undefined);
      return next(args);
    },
    { step: "build", name: "tellTwice" },
  );
  return client;
}

class ProcessEnded extends Error {
  override readonly name = "ProcessEnded";
}

/** Whether this is how a process that crashAtWrite() ended sees it. */
export function hasEnded(error: unknown): boolean {
  return error instanceof ProcessEnded || (error instanceof Error && hasEnded(error.cause));
}

/** The process ends at its write number `at` (from 0), before it is sent or before the answer has come. */
export function crashAtWrite(client: DynamoDBClient, crash: { at: number; when: "before" | "after" }): DynamoDBClient {
  let writes = 0;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (!isWrite(context.commandName)) return next(args);
      writes += 1;
      if (writes - 1 < crash.at) return next(args);
      if (writes - 1 === crash.at && crash.when === "after") await next(args).catch(() => undefined);
      throw new ProcessEnded();
    },
    { step: "build", name: "crashAtWrite" },
  );
  return client;
}

/** Each request is a step that can be made to wait, and to crash before it is sent or before its answer has come. */
export function inSteps(client: DynamoDBClient, step: Step): DynamoDBClient {
  client.middlewareStack.add((next) => (args) => step(() => next(args)), { step: "build", name: "inSteps" });
  return client;
}

function isWrite(commandName: string | undefined): boolean {
  return ["PutItemCommand", "UpdateItemCommand", "DeleteItemCommand"].includes(commandName ?? "");
}
