/** The stand-in for DynamoDB: dynalite as a child process on loopback, with its LevelDB in a folder. */
import {
  CreateTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import { STAND_IN_TABLE, standInClient } from "@firehose-backfill/core/stand-in-client";
import { forkChild } from "./child.ts";

export interface TableServerOptions {
  /** Its own folder; created if it is missing. A later start serves the items in it again. */
  readonly dataDir: string;
  /** How long to wait for a predecessor that still serves the folder. Default: 5,000, longer than a child needs to end. */
  readonly folderTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface TableServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, another port at every start. */
  readonly endpoint: string;
  /** The name of the table, which exists by then. */
  readonly table: string;
  readonly pid: number;
  /** Resolves when the process is gone, for any reason. */
  readonly exited: Promise<number | null>;
}

/** The one argument of table-server-child.ts. */
export interface TableServerSettings {
  readonly dataDir: string;
  readonly folderTimeoutMs: number;
}

const ENTRY = new URL("./table-server-child.ts", import.meta.url);
const READY_TIMEOUT_MS = 30_000;
const FOLDER_TIMEOUT_MS = 5_000;
const TABLE = "firehose-backfill";

/**
 * Resolves when the table can be used. The server ends with this process, however that ends, and everything that it confirmed
 * is there at the next start, even after SIGKILL.
 * @throws ChildError if it cannot start
 */
export async function startTableServer(options: TableServerOptions): Promise<TableServer> {
  const settings: TableServerSettings = {
    dataDir: options.dataDir,
    folderTimeoutMs: options.folderTimeoutMs ?? FOLDER_TIMEOUT_MS,
  };
  const child = await forkChild({
    entry: ENTRY,
    args: [JSON.stringify(settings)],
    readyTimeoutMs: READY_TIMEOUT_MS,
    signal: options.signal,
  });
  const endpoint = `http://127.0.0.1:${Number(child.ready)}`;
  try {
    await ensureTable(endpoint, options.signal);
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  return {
    endpoint,
    table: TABLE,
    pid: child.pid,
    exited: child.exited,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** `pk` and `sk`, both strings: the keys that the checkpoint store expects and the infrastructure creates on AWS. */
async function ensureTable(endpoint: string, abortSignal: AbortSignal | undefined): Promise<void> {
  const client = new DynamoDBClient({ ...standInClient(endpoint, "dynamodb"), ...STAND_IN_TABLE });
  const command = new CreateTableCommand({
    TableName: TABLE,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [
      { AttributeName: "pk", AttributeType: "S" },
      { AttributeName: "sk", AttributeType: "S" },
    ],
    KeySchema: [
      { AttributeName: "pk", KeyType: "HASH" },
      { AttributeName: "sk", KeyType: "RANGE" },
    ],
  });
  try {
    await client.send(command, { ...(abortSignal !== undefined && { abortSignal }) });
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  try {
    const waiter = { client, maxWaitTime: READY_TIMEOUT_MS / 1000, minDelay: 0.01, maxDelay: 1 };
    await waitUntilTableExists({ ...waiter, ...(abortSignal !== undefined && { abortSignal }) }, { TableName: TABLE });
  } finally {
    client.destroy();
  }
}
