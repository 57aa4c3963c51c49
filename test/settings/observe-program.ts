/** What a setting does to the program as its user has it: one start with everything given, one with nothing. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { startQueueServer } from "@firehose-backfill/embedded/queue-server";
import { startTableServer } from "@firehose-backfill/embedded/table-server";
import { startRelay } from "@firehose-backfill/testing/firehose/scripted-relay";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { mixedFrames } from "../support/recordings.ts";
import { startProgram, temporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";

export interface ProgramSeen {
  /** As RELAY_URL's host; `sample` for the bundled one. */
  readonly relay: string;
  readonly userAgents: readonly string[];
  /** Its data folder, and the stand-ins in it. */
  readonly dataDir: string;
  readonly standIns: readonly string[];
  readonly port: number | null;
  readonly schemaInGivenDatabase: boolean;
  readonly itemsInGivenTable: number;
  readonly messagesInGivenQueue: number;
  readonly deadLetters: number | null;
  readonly reason: string | null;
  readonly processed: number;
}

export const PORT_GIVEN = 18_787;
const STAND_INS = ["queue", "table", "postgres"];
const NOTHING = { schemaInGivenDatabase: false, itemsInGivenTable: 0, messagesInGivenQueue: 0 };

/** Nothing is given. */
export async function observeDefaults(): Promise<ProgramSeen> {
  await using folder = await temporaryFolder();
  return { ...NOTHING, ...(await start({ env: {}, cwd: folder.path })), userAgents: [] };
}

/** Services of somebody's own; started without a contact, and then with everything. */
export async function observeGiven(): Promise<ProgramSeen & { readonly userAgentsWithoutContact: readonly string[] }> {
  await using folder = await temporaryFolder();
  await using queue = await startQueueServer({ dataDir: join(folder.path, "their-queue") });
  await using table = await startTableServer({ dataDir: join(folder.path, "their-table") });
  await using postgres = await startPostgres({ dataDir: join(folder.path, "their-postgres"), throwaway: true });
  const frames = mixedFrames();
  await using relay = await startRelay({
    onConnect: ({ socket }) => {
      for (const bytes of frames) socket.send(bytes);
    },
  });
  const sqs = new SQSClient({ endpoint: queue.endpoint });
  const dynamo = new DynamoDBClient({ endpoint: table.endpoint });
  await sqs.send(new SendMessageCommand({ QueueUrl: queue.dlqUrl, MessageBody: "somebody's" }));
  const env = {
    RELAY_URL: relay.url,
    DATABASE_URL: postgres.databaseUrl,
    BACKFILL_DATA_DIR: "elsewhere",
    PORT: String(PORT_GIVEN),
    BACKFILL_CONTACT: "ops@example.com",
    BACKFILL_QUEUE_URL: queue.queueUrl,
    BACKFILL_DLQ_URL: queue.dlqUrl,
    BACKFILL_TABLE: table.table,
    BACKFILL_THROTTLE_QUERY: "SELECT 1",
    BACKFILL_DAYS: "-1",
    AWS_ENDPOINT_URL_SQS: queue.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "us-east-1",
  };
  const agents = () => relay.visits.map(({ request }) => request.headers["user-agent"] ?? "");
  const without = { ...env, BACKFILL_CONTACT: "", BACKFILL_THROTTLE_QUERY: "" };
  await start({ env: without, cwd: folder.path, isEnough: () => relay.visits.length > 0 });
  const userAgentsWithoutContact = agents();
  const seen = await start({ args: ["start", "--new"], env, cwd: folder.path });

  await using database = await openTestDatabase(postgres.databaseUrl);
  const schemas = await database.query("SELECT 1 FROM pg_namespace WHERE nspname = 'firehose'", []);
  const items = await dynamo.send(new ScanCommand({ TableName: table.table, Select: "COUNT" }));
  const messagesInGivenQueue = await messagesIn(sqs, queue.queueUrl);
  sqs.destroy();
  dynamo.destroy();
  return {
    ...seen,
    userAgents: agents().slice(userAgentsWithoutContact.length),
    userAgentsWithoutContact,
    schemaInGivenDatabase: schemas.length > 0,
    itemsInGivenTable: items.Count ?? 0,
    messagesInGivenQueue,
  };
}

type Started = Pick<ProgramSeen, "relay" | "dataDir" | "standIns" | "port" | "deadLetters" | "reason" | "processed">;

type Status = Pick<Snapshot, "processed" | "reason" | "host" | "queue">;

/** A batch was applied, or its consumers say what they wait for. */
function isWorking(status: Status): boolean {
  return status.processed > 0 || status.reason?.startsWith("waiting") === true;
}

async function start(options: {
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly isEnough?: (status: Status) => boolean;
}): Promise<Started> {
  const { cwd, isEnough = isWorking } = options;
  const program = startProgram(options.args ?? ["run"], { PORT: "", ...options.env }, cwd);
  try {
    await program.said(/Status page: http|port \d+ is in use/);
    const port = Number(
      /Status page: http:\/\/127\.0\.0\.1:(\d+)|port (\d+) is in use/.exec(program.stderr())?.slice(1).find(Boolean),
    );
    const status = program.stderr().includes("Status page") ? await untilEnough(port, isEnough) : null;
    const dataDir = ["elsewhere", ".backfill"].find((name) => existsSync(join(cwd, name))) ?? "";
    return {
      relay: status?.host ?? "",
      dataDir,
      standIns: STAND_INS.filter((name) => existsSync(join(cwd, dataDir, name))),
      port,
      deadLetters: status?.queue.deadLetters ?? null,
      reason: status?.reason ?? null,
      processed: status?.processed ?? 0,
    };
  } finally {
    program.child.kill("SIGTERM");
    await program.exited;
  }
}

async function untilEnough(port: number, isEnough: (status: Status) => boolean): Promise<Status> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/status.json`);
    const status: Status = JSON.parse(await response.text());
    if (isEnough(status)) return status;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function messagesIn(sqs: SQSClient, queueUrl: string): Promise<number> {
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["All"] }));
  return (
    Number(Attributes?.["ApproximateNumberOfMessages"]) +
    Number(Attributes?.["ApproximateNumberOfMessagesNotVisible"]) +
    Number(Attributes?.["ApproximateNumberOfMessagesDelayed"])
  );
}
