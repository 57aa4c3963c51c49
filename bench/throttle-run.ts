/**
 * One profile in real time on the embedded stack, each consumer in its own process: what the database measured of the pace, and what
 * SQS and DynamoDB measured of its cost. Optionally, the database hangs in the middle.
 */
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { PROFILES } from "@firehose-backfill/core/config/profiles";
import type { ProfileName } from "@firehose-backfill/core/config/settings";
import { startQueueServer } from "@firehose-backfill/embedded/queue-server";
import { startTableServer } from "@firehose-backfill/embedded/table-server";
import { mostIn } from "../test/simulation/pace-of.ts";
import { startAwsProxy } from "../test/support/aws-proxy.ts";
import { startProgram, temporaryFolder } from "../test/support/program.ts";
import { steer } from "../test/throttle/control-program.ts";
import { type HandedBatch, recordApplied } from "./applied-log.ts";
import { startCreatesRelay } from "./creates.ts";
import { freezeTree } from "./process-tree.ts";
import { scratchPostgres } from "./scratch-postgres.ts";
import { createServiceMeter, type ServiceFigures } from "./service-meter.ts";

export interface ThrottleRunOptions {
  readonly profile: ProfileName;
  /** Of each steady period: there is one, or one before the database hangs and one after it. */
  readonly seconds: number;
  /** 0: it does not hang. */
  readonly freezeSeconds: number;
}

export interface ThrottleFigures {
  readonly profile: ProfileName;
  readonly freezeSeconds: number;
  readonly allowedPerSecond: number;
  readonly events: number;
  /** Compared with the allowed rate, for each steady period: the whole run, or before the database hung and after recovery. */
  readonly rateErrorPercent: readonly number[];
  /** From the moment when the database answers again until the run is on its pace. null: it did not hang. */
  readonly recoverySeconds: number | null;
  /** Most events in any window of this many seconds, divided by what the rate allows. From the first batch on. */
  readonly fullest: Readonly<Record<"60" | "20" | "10", number>>;
  /** Most events in 60 s, divided by the promised bound: 1.05 x 60 x rate + one batch. */
  readonly fullestMinuteOfBound: number;
  readonly billedMsPerEvent: number;
  readonly invocationsPerBatch: number;
  readonly pacingWritesPer1000: Readonly<Record<string, number>>;
  readonly tableWritesPer1000: number;
  readonly sqsRequestsPer1000: Readonly<Record<string, number>>;
  /** Above 1, the run slowed itself down because applying had become slow: its rate is then not the profile's. */
  readonly mostBackOff: number;
  readonly load: number;
}

/** The first batches were planned before there was a consumer, so they come late and take new slots. */
const NEW_SLOTS_MS = 5_000;
/**
 * A database that hung makes the run back off until a minute has passed without pressure; batches that were planned meanwhile keep
 * their wider slots, two minutes ahead. It is on its pace again with no back-off, and this share of the rate over this many seconds.
 */
const ON_PACE = { share: 0.95, seconds: 20 };
const RECOVERY_TIMEOUT_MS = 300_000;
const READY_TIMEOUT_MS = 300_000;
/** The reader plans two minutes ahead. */
const SPARE_SECONDS = 800;

interface Stretch {
  readonly fromMs: number;
  readonly untilMs: number;
}

export async function runThrottle(options: ThrottleRunOptions): Promise<ThrottleFigures> {
  const { profile, seconds, freezeSeconds } = options;
  const { batchSize, batchDelayMs, maxConcurrent } = PROFILES[profile];
  const allowedPerSecond = (batchSize * 1_000) / batchDelayMs;
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const postgres = stack.use(await scratchPostgres());
  const log = stack.use(await recordApplied(postgres.databaseUrl, "rows"));
  const relay = stack.use(await startCreatesRelay(allowedPerSecond * (seconds + freezeSeconds + SPARE_SECONDS)));
  const queue = stack.use(await startQueueServer({ dataDir: `${folder.path}/queue` }));
  const table = stack.use(await startTableServer({ dataDir: `${folder.path}/table` }));
  const meter = createServiceMeter(nameIn(queue.queueUrl));
  const queueProxy = stack.use(await startAwsProxy({ targetOf: () => queue.endpoint, onExchange: meter.onQueue }));
  const tableProxy = stack.use(await startAwsProxy({ targetOf: () => table.endpoint, onExchange: meter.onTable }));

  const program = startProgram(["start", "--from", "oldest", "--consumers", "process"], {
    AWS_ACCESS_KEY_ID: "standin",
    AWS_SECRET_ACCESS_KEY: "standin",
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL_SQS: queueProxy.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: tableProxy.endpoint,
    // The SDK calls the host in the queue's own address.
    BACKFILL_QUEUE_URL: queue.queueUrl.replace(queue.endpoint, queueProxy.endpoint),
    BACKFILL_DLQ_URL: queue.dlqUrl.replace(queue.endpoint, queueProxy.endpoint),
    BACKFILL_TABLE: table.table,
    BACKFILL_DATA_DIR: `${folder.path}/data`,
    BACKFILL_PROFILE: profile,
    DATABASE_URL: postgres.databaseUrl,
    RELAY_URL: relay.url,
  });
  stack.defer(async () => {
    program.child.kill("SIGTERM");
    await program.exited;
  });
  const steering = await steer(program);
  const giveUpMs = Date.now() + READY_TIMEOUT_MS;
  while ((await steering.status()).pool.size < maxConcurrent) {
    if (Date.now() > giveUpMs) throw new Error(`not ${maxConcurrent} consumers in time:\n${program.stderr()}`);
    await sleep(500);
  }
  await sleep(NEW_SLOTS_MS);

  const load = Number(loadavg()[0]?.toFixed(1));
  const untilOnPace = async (): Promise<number> => {
    const startMs = Date.now();
    for (;;) {
      await sleep(1_000);
      const nowMs = Date.now();
      const events = await log.eventsIn(nowMs - ON_PACE.seconds * 1_000, nowMs);
      const isOnPace = events >= ON_PACE.share * ON_PACE.seconds * allowedPerSecond;
      // Not before all counted batches were applied after the database came back.
      if (nowMs - startMs > ON_PACE.seconds * 1_000 && isOnPace && (await steering.status()).memory.backOff === 1)
        return Math.round((nowMs - startMs) / 1_000);
      if (nowMs - startMs > RECOVERY_TIMEOUT_MS) throw new Error(`not on its pace again:\n${program.stderr()}`);
    }
  };
  const stretches: Stretch[] = [];
  let recoverySeconds: number | null = null;
  if (freezeSeconds === 0) stretches.push(await pass(seconds));
  else {
    stretches.push(await pass(seconds));
    const thaw = freezeTree(postgres.pid);
    await sleep(freezeSeconds * 1_000);
    thaw();
    recoverySeconds = await untilOnPace();
    stretches.push(await pass(seconds));
  }
  // Print the program's own messages about problems.
  for (const line of program.stderr().split("\n")) if (/Consumer|Reader|tick/.test(line)) console.error(line);
  const fromMs = stretches[0]?.fromMs ?? 0;
  const untilMs = stretches.at(-1)?.untilMs ?? 0;
  const batches = (await log.batches()).filter(({ atMs }) => atMs < untilMs);
  const inWhole = batches.filter(({ atMs }) => atMs >= fromMs);
  const most = (windowSeconds: number): number => mostIn(batches, windowSeconds * 1_000);
  return {
    profile,
    freezeSeconds,
    allowedPerSecond,
    rateErrorPercent: stretches.map((stretch) => round((rateIn(batches, stretch) / allowedPerSecond - 1) * 100)),
    recoverySeconds,
    fullest: {
      60: round(most(60) / (60 * allowedPerSecond)),
      20: round(most(20) / (20 * allowedPerSecond)),
      10: round(most(10) / (10 * allowedPerSecond)),
    },
    fullestMinuteOfBound: round(most(60) / (1.05 * 60 * allowedPerSecond + batchSize)),
    ...prices(meter.figures(fromMs, untilMs), inWhole),
    load,
  };
}

/** Each batch counts for the time until the next one: from the first to the last, the last itself not counted. */
function rateIn(batches: readonly HandedBatch[], { fromMs, untilMs }: Stretch): number {
  const inside = batches.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
  const [first, last] = [inside[0], inside.at(-1)];
  if (first === undefined || last === undefined || first === last) return 0;
  return ((eventsOf(inside) - last.events) * 1_000) / (last.atMs - first.atMs);
}

function prices(figures: ServiceFigures, batches: readonly HandedBatch[]) {
  const events = eventsOf(batches);
  const per1000 = (counts: Readonly<Record<string, number>>): Record<string, number> => {
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    return Object.fromEntries(
      Object.entries({ ...counts, total }).map(([kind, count]) => [kind, round((count * 1_000) / events)]),
    );
  };
  return {
    events,
    billedMsPerEvent: round(figures.billedMs / events),
    invocationsPerBatch: round(figures.invocations / batches.length),
    pacingWritesPer1000: per1000(figures.pacingWrites),
    tableWritesPer1000: round((figures.tableWrites * 1_000) / events),
    sqsRequestsPer1000: per1000(figures.sqsRequests),
    mostBackOff: figures.mostBackOff,
  };
}

async function pass(seconds: number): Promise<Stretch> {
  const fromMs = Date.now();
  await sleep(seconds * 1_000);
  return { fromMs, untilMs: Date.now() };
}

function eventsOf(batches: readonly HandedBatch[]): number {
  return batches.reduce((sum, { events }) => sum + events, 0);
}

function nameIn(queueUrl: string): string {
  return queueUrl.split("/").at(-1) ?? "";
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
