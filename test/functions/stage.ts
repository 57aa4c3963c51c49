/**
 * Stages as a deploy makes them, on this machine: the four bundled functions on stand-ins for SQS, DynamoDB, SNS and
 * Neon. One set of servers, and in it a table, a pair of queues and a database for each stage.
 */
import { CreateQueueCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { ensureTable } from "@firehose-backfill/testing/checkpoint/create-table";
import { createDynamoClient } from "@firehose-backfill/checkpoint/dynamo-client";
import { createDynamoStore } from "@firehose-backfill/checkpoint/dynamo-store";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { startQueueServer } from "@firehose-backfill/embedded/queue-server";
import { startTableServer } from "@firehose-backfill/embedded/table-server";
import { createSqsClient } from "@firehose-backfill/queue/sqs-client";
import { createSqsQueue } from "@firehose-backfill/queue/sqs-queue";
import { collectSnapshot } from "@firehose-backfill/status/collect-snapshot";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { ControlAnswer } from "../../functions/shared/control.ts";
import { bundleFunctions, type FunctionName } from "../../scripts/bundle-functions.ts";
import { temporaryFolder } from "../support/program.ts";
import { openTestDatabase, type TestDatabase } from "../support/query.ts";
import { startMapping } from "./host/event-source-mapping.ts";
import {
  createLocalFunction,
  type FunctionOptions,
  type Invocation,
  type LocalFunction,
} from "./host/local-function.ts";
import { arnOf, startPolicyProxy } from "./host/policy.ts";
import { type Lines, startLines } from "./lines.ts";
import { startTopicServer, type TopicServer } from "./topic-server.ts";

export interface Services extends AsyncDisposable {
  readonly topic: TopicServer;
  /** The folder of this version's bundles. */
  readonly bundles: string;
  newStage(options: StageOptions): Promise<Stage>;
}

export interface StageOptions {
  /** Lower-case letters: names its database, its table and its queues. */
  readonly name: string;
  readonly relayUrl: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** BACKFILL_MAX_CONCURRENT: the consumer's reserved concurrency, and with the minimum of two the mapping's. */
  readonly maxConcurrent?: number;
  readonly readerTimeoutMs?: number;
  readonly consumerTimeoutMs?: number;
  /** What the environments of the consumer hold more after each invocation. */
  readonly leakMb?: number;
  readonly visibilityTimeoutSeconds?: number;
  /** What the secret says instead of the stage's own database. */
  readonly databaseUrl?: string;
  /** Executions of the reader at once: 1, or more where none are reserved. */
  readonly readersAtOnce?: number;
  /** Of a core, for each environment. */
  readonly cpuShare?: number;
  readonly envOfConsumer?: (index: number) => Readonly<Record<string, string>>;
  /** The folder of the bundles that it begins with. Left out: this version's. */
  readonly bundles?: string;
}

export type Functions = Readonly<Record<FunctionName, LocalFunction>>;

/** Each function has its policy around it. Disposing of a stage throws where one of them called what it may not. */
export interface Stage extends AsyncDisposable {
  readonly functions: Functions;
  /** Another version's, beside the present ones. `functions` stays, and so does who is called by tick, control and the mapping. */
  deploy(bundles: string): Promise<Functions>;
  /** What all functions are given; the secret is not among it. */
  readonly env: Readonly<Record<string, string>>;
  readonly databaseUrl: string;
  readonly database: TestDatabase;
  readonly store: CheckpointStore;
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly dlqUrl: string;
  /** What each function has asked of AWS so far: `sqs SendMessageBatch`. */
  readonly calls: Readonly<Record<FunctionName, readonly string[]>>;
  /** What reader and consumer reach their services through. */
  readonly lines: Lines;
  /** The event source mapping, from now until it is disposed of. `consumer`: another version's. */
  consume(consumer?: LocalFunction): AsyncDisposable;
  tick(): Promise<Invocation>;
  /** What the control function answers. @throws when the invocation fails */
  ask(event: unknown): Promise<ControlAnswer>;
  /** How many messages the dead-letter queue holds, those that the reader looks at included. */
  deadLetters(): Promise<number>;
  /** @throws when it is refused */
  control(event: object): Promise<Snapshot>;
  /** What status, page and control would show, without their cold starts. */
  snapshot(): Promise<Snapshot>;
  /** Ticks, one soon after the other and not once a minute, until the run is not running any more. */
  tickUntilOver(): Promise<Snapshot>;
}

const TICK = { action: "tick", scheduledAt: "2026-01-01T00:00:00Z" };
const BETWEEN_TICKS_MS = 250;
const MOST_TICKS = 300;

export async function startServices(): Promise<Services> {
  const stack = new AsyncDisposableStack();
  try {
    const folder = stack.use(await temporaryFolder());
    const [queue, table, postgres, topic] = await Promise.all([
      startQueueServer({ dataDir: `${folder.path}/queue` }),
      startTableServer({ dataDir: `${folder.path}/table` }),
      startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true }),
      startTopicServer(),
      bundleFunctions(`${folder.path}/bundles`),
    ]);
    for (const service of [queue, table, postgres, topic]) stack.use(service);
    const admin = stack.use(await openTestDatabase(postgres.databaseUrl));
    const addresses = { queue: queue.endpoint, table: table.endpoint, topic: topic.endpoint };
    const bundles = `${folder.path}/bundles`;
    const stages = new Map<string, number>();
    return {
      topic,
      bundles,
      newStage: async (asked) => {
        // A second attempt of a test gets a stage of its own, not what the first one left.
        const count = (stages.get(asked.name) ?? 0) + 1;
        stages.set(asked.name, count);
        const options = count === 1 ? asked : { ...asked, name: `${asked.name}_${count}` };
        await admin.query(`create database ${options.name}`, []);
        const url = new URL(postgres.databaseUrl);
        url.pathname = `/${options.name}`;
        return createStage(options, { addresses, bundles, databaseUrl: url.href });
      },
      [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

interface Where {
  readonly addresses: { readonly queue: string; readonly table: string; readonly topic: string };
  readonly bundles: string;
  readonly databaseUrl: string;
}

async function createStage(options: StageOptions, where: Where): Promise<Stage> {
  const { name, maxConcurrent = 2 } = options;
  const stack = new AsyncDisposableStack();
  const dynamo = createDynamoClient({ endpoint: where.addresses.table });
  const sqs = createSqsClient({ endpoint: where.addresses.queue });
  stack.defer(() => {
    dynamo.destroy();
    sqs.destroy();
  });
  await ensureTable(dynamo, name);
  const { queueUrl, dlqUrl } = await createQueues(sqs, where.addresses.queue, options);
  const database = stack.use(await openTestDatabase(where.databaseUrl));
  const env: Record<string, string> = {
    AWS_ENDPOINT_URL_SQS: where.addresses.queue,
    AWS_ENDPOINT_URL_DYNAMODB: where.addresses.table,
    AWS_ENDPOINT_URL_SNS: where.addresses.topic,
    SST_RESOURCE_App: JSON.stringify({ name: "firehose-backfill", stage: name }),
    RELAY_URL: options.relayUrl,
    BACKFILL_QUEUE_URL: queueUrl,
    BACKFILL_DLQ_URL: dlqUrl,
    BACKFILL_TABLE: name,
    BACKFILL_ALARM_TOPIC_ARN: `arn:aws:sns:us-east-1:000000000000:${name}`,
    BACKFILL_MAX_CONCURRENT: String(maxConcurrent),
    ...options.settings,
  };
  const denied: string[] = [];
  const calls = { reader: [] as string[], consumer: [] as string[], control: [] as string[], status: [] as string[] };
  const on = {
    tableArn: arnOf.table(name),
    workArn: arnOf.queue(name),
    deadLettersArn: arnOf.queue(`${name}-dead`),
    alarmTopicArn: env["BACKFILL_ALARM_TOPIC_ARN"] ?? null,
  };
  const services = { dynamodb: where.addresses.table, sqs: where.addresses.queue, sns: where.addresses.topic };
  const lines = stack.use(startLines());
  const behindPolicy = async (role: FunctionName): Promise<Record<string, string>> => {
    const policy = stack.use(
      await startPolicyProxy({
        role,
        on,
        targetOf: (service) => services[service],
        denied: (sentence) => void denied.push(sentence),
        called: ({ service, action }) => void calls[role].push(`${service} ${action}`),
      }),
    );
    const endpoint = await lines.through(policy.endpoint);
    return {
      AWS_ENDPOINT_URL_SQS: endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: endpoint,
      AWS_ENDPOINT_URL_SNS: endpoint,
      // The SDK calls the host that is in the queue's own address.
      BACKFILL_QUEUE_URL: queueUrl.replace(services.sqs, endpoint),
      BACKFILL_DLQ_URL: dlqUrl.replace(services.sqs, endpoint),
    };
  };
  const databaseUrl = options.databaseUrl ?? (await lines.through(where.databaseUrl));
  const secret = { SST_RESOURCE_DatabaseUrl: JSON.stringify({ value: databaseUrl }) };
  const deployOne = async (
    bundles: string,
    fn: FunctionName,
    more: Pick<FunctionOptions, "envOf"> & { timeoutMs: number; reserved: number; env?: Record<string, string> },
  ): Promise<LocalFunction> =>
    stack.use(
      createLocalFunction({
        name: `firehose-backfill-${name}-${fn}`,
        bundle: `${bundles}/${fn}.mjs`,
        env: { ...env, ...(await behindPolicy(fn)), ...more.env },
        timeoutMs: more.timeoutMs,
        reservedConcurrency: more.reserved,
        envOf: more.envOf,
        cpuShare: options.cpuShare,
      }),
    );
  const deploy = async (bundles: string): Promise<Functions> => ({
    reader: await deployOne(bundles, "reader", {
      timeoutMs: options.readerTimeoutMs ?? 120_000,
      reserved: options.readersAtOnce ?? 1,
    }),
    consumer: await deployOne(bundles, "consumer", {
      timeoutMs: options.consumerTimeoutMs ?? 30_000,
      reserved: maxConcurrent,
      env: { ...secret, TEST_LEAK_MB: String(options.leakMb ?? 0) },
      envOf: options.envOfConsumer,
    }),
    control: await deployOne(bundles, "control", { timeoutMs: 60_000, reserved: 10, env: secret }),
    status: await deployOne(bundles, "status", { timeoutMs: 20_000, reserved: 10 }),
  });
  const functions = await deploy(options.bundles ?? where.bundles);

  const store = createDynamoStore({ client: dynamo, table: name });
  const tick = () => functions.reader.invoke(TICK);
  const queue = createSqsQueue({
    client: sqs,
    queueUrl,
    dlqUrl,
    countsBase64: true,
    clock: systemClock,
    random: Math.random,
  });
  const snapshot = () =>
    collectSnapshot({ store, queue, clock: systemClock, config: parseConfig({ RELAY_URL: options.relayUrl }) });
  const ask = async (event: unknown): Promise<ControlAnswer> => {
    const { body, error } = await functions.control.invoke(event);
    if (body === null) throw new Error(`control failed: ${error}`);
    return JSON.parse(body);
  };
  const control = async (event: object): Promise<Snapshot> => {
    const answer = await ask(event);
    if (!answer.ok) throw new Error(`control refused: ${answer.message}`);
    if (answer.snapshot === null) throw new Error("control could not read the run");
    return answer.snapshot;
  };
  return {
    functions,
    deploy,
    env,
    databaseUrl: where.databaseUrl,
    database,
    store,
    sqs,
    queueUrl,
    dlqUrl,
    calls,
    lines,
    consume: (consumer = functions.consumer) =>
      startMapping({
        client: sqs,
        queueUrl,
        function: consumer,
        maximumConcurrency: Math.max(2, maxConcurrent),
      }),
    deadLetters: async () => (await queue.figures()).deadLetters,
    tick,
    snapshot,
    ask,
    control,
    async tickUntilOver() {
      for (let count = 1; count <= MOST_TICKS; count += 1) {
        await tick();
        const run = await store.currentRun();
        if (run !== null && run.status !== "running") return snapshot();
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_TICKS_MS));
      }
      throw new Error(`after ${MOST_TICKS} ticks: ${JSON.stringify(await store.currentRun())}`);
    },
    async [Symbol.asyncDispose]() {
      await stack[Symbol.asyncDispose]();
      if (denied.length > 0) throw new Error(`stage ${name}: ${[...new Set(denied)].join("; ")}`);
    },
  };
}

async function createQueues(sqs: SQSClient, endpoint: string, options: StageOptions) {
  const urlOf = (queue: string) => `${endpoint}/000000000000/${queue}`;
  const create = (QueueName: string, Attributes: Record<string, string>) =>
    sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  const dead = `${options.name}-dead`;
  await create(dead, {});
  await create(options.name, {
    VisibilityTimeout: String(options.visibilityTimeoutSeconds ?? 180),
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:${dead}`,
      maxReceiveCount: 1000,
    }),
  });
  return { queueUrl: urlOf(options.name), dlqUrl: urlOf(dead) };
}
