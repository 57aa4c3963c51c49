/**
 * What a setting asks of AWS: the infrastructure's own functions, with a recorder in the place of SST and Pulumi. That
 * SST's real components take it is shown by test/infra; here it needs no platform.
 */
import { readSettings } from "../../infra/settings.ts";

interface Asked {
  readonly type: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Modules that speak to SST's globals are not part of this program's types. */
async function load(name: string): Promise<Record<string, (options: unknown) => { readonly arn?: unknown }>> {
  const url = new URL(`../../infra/${name}.ts`, import.meta.url);
  const loaded: Awaited<ReturnType<typeof load>> = await import(url.href);
  return loaded;
}

export async function observeInfra(settings: Readonly<Record<string, string>>): Promise<{
  readonly reserved: unknown;
  readonly topic: unknown;
  readonly subscribed: unknown;
  readonly network: unknown;
  readonly files: unknown;
  readonly login: unknown;
  readonly dashboards: number;
}> {
  const asked: Asked[] = [];
  Object.assign(globalThis, {
    $dev: false,
    $interpolate: String.raw,
    $resolve: () => ({ apply: () => "" }),
    $app: { name: "firehose-backfill", stage: "test" },
    sst: { aws: recorder(asked, "sst.aws") },
    aws: {
      sns: recorder(asked, "aws.sns"),
      cloudwatch: recorder(asked, "aws.cloudwatch"),
      getPartitionOutput: () => ({ partition: "aws" }),
      getRegionOutput: () => ({ region: "eu-central-1" }),
      getCallerIdentityOutput: () => ({ accountId: "123456789012" }),
    },
  });
  const read = readSettings({ RELAY_URL: "wss://relay.example.com", ...settings }, { stage: "test" });
  const { createAlarmTopic } = await load("alarm-topic");
  const { createFunction } = await load("function");
  const { createConsumer } = await load("consumer");
  const { createDashboard } = await load("dashboard");
  if (
    createAlarmTopic === undefined ||
    createFunction === undefined ||
    createConsumer === undefined ||
    createDashboard === undefined
  )
    throw new Error("the infrastructure has other names now");
  const topic = createAlarmTopic(read.config.settings);
  createConsumer({
    settings: read,
    resources: {
      table: { arn: "" },
      work: { arn: "" },
      deadLetters: { arn: "" },
      alarmTopicArn: null,
      databaseUserArn: read.config.settings.databaseUserArn,
    },
    environment: {},
    databaseUrl: {},
    work: { subscribe: () => undefined },
  });
  const logged = { name: "", nodes: { function: { loggingConfig: {} } } };
  createDashboard({
    isWanted: read.config.settings.dashboard,
    work: { nodes: { queue: {} } },
    deadLetters: { nodes: { queue: {} } },
    reader: logged,
    consumer: logged,
    alarms: [],
  });
  const consumer = asked.find(({ type }) => type === "sst.aws.Function")?.args ?? {};
  const subscription = asked.find(({ type }) => type === "aws.sns.TopicSubscription")?.args["endpoint"];
  const permissions = Array.isArray(consumer["permissions"]) ? consumer["permissions"] : [];
  return {
    reserved: consumer["concurrency"] ?? null,
    topic: topic.arn ?? null,
    subscribed: subscription ?? null,
    network: consumer["vpc"] ?? null,
    files: consumer["copyFiles"],
    login: permissions.find(({ actions }) => actions.includes("rds-db:connect"))?.resources ?? null,
    dashboards: asked.filter(({ type }) => type === "aws.cloudwatch.Dashboard").length,
  };
}

/** Classes of any name, which remember what they were made with. */
function recorder(asked: Asked[], prefix: string): object {
  return new Proxy(
    {},
    {
      get: (_target, name) =>
        class {
          readonly arn: string;
          readonly name: string;
          constructor(logicalName: string, args: Readonly<Record<string, unknown>> = {}) {
            this.arn = `arn:${logicalName}`;
            this.name = logicalName;
            asked.push({ type: `${prefix}.${String(name)}`, args });
          }
        },
    },
  );
}
