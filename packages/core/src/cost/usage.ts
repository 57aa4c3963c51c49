/**
 * Estimates how much of each service a run uses, from the pace and the work of one batch and one tick. Numbers of calls are counted in
 * the code; a batch's time is measured; a tick's time and the bytes are assumptions. Prices are elsewhere.
 */

/** The properties of a run that determine its cost. */
export interface Workload {
  /** Events that pass the filters; each is applied once. */
  readonly events: number;
  readonly batchSize: number;
  /** 0: no pacing. */
  readonly batchDelayMs: number;
  readonly maxConcurrent: number;
  /** Memory of the function, not the limit of the memory guard. */
  readonly functionMemoryMb: number;
  /** Neon's, while the database is awake. 0: the database costs the same with and without this run. */
  readonly databaseComputeUnits: number;
}

/** The work for one unit of each kind: averages of an undisturbed run, on time and without redrives. */
export interface UnitWork {
  /** Billed time for a batch of any size (its round trips), and for each of its events. */
  readonly batchMs: number;
  readonly eventMs: number;
  readonly tickMs: number;
  /** Receive and delete; the reader sends in groups, so a tenth of a send is added. */
  readonly sqsRequestsPerBatch: number;
  readonly sqsRequestsPerTick: number;
  /** Empty polls of the event source mapping: five pollers, 20 s each. */
  readonly sqsPollsPerMinute: number;
  readonly dynamoWriteUnitsPerBatch: number;
  readonly dynamoReadUnitsPerBatch: number;
  readonly dynamoWriteUnitsPerTick: number;
  readonly dynamoReadUnitsPerTick: number;
  readonly logBytesPerBatch: number;
  readonly logBytesPerTick: number;
  readonly metrics: number;
  /** Metrics that alarms watch; AWS bills by metric. */
  readonly alarms: number;
  readonly dashboards: number;
}

export const UNIT_WORK: UnitWork = {
  // `npm run bench -- lambda`: a batch of 5 takes 16 ms of CPU, which is 45 ms at the share of a core of 640 MB. Waits for
  // answers are within it, because a share that is used up waits longer. Each event: `npm run bench -- throttle`.
  batchMs: 45,
  eventMs: 0.85,
  // `npm run bench -- lambda`: 107 ms of CPU, which is 300 ms at that share. The rest is planned for the network: the
  // connection to the relay, and a dozen calls of DynamoDB and SQS.
  tickMs: 1_500,
  sqsRequestsPerBatch: 2.1,
  // The statistics and the limits of both queues, each once; sends are separate.
  sqsRequestsPerTick: 4,
  sqsPollsPerMinute: 15,
  // The outcome, an item of less than 1 KB; an attempt is counted from the second delivery on.
  dynamoWriteUnitsPerBatch: 1,
  // The run item and the pace item, read with one request, each below 4 KB.
  dynamoReadUnitsPerBatch: 2,
  // Lease, applied cursor, reader cursor, release: four updates of a run item of 2 to 3 KB. Slots in a pace item of 1 to 2 KB.
  // A window, the sweep of ledger entries, and now and then a point of the run's history.
  dynamoWriteUnitsPerTick: 16,
  dynamoReadUnitsPerTick: 13,
  // One line of 160, as measured by the same benchmark, and the 26 that CloudWatch counts for each line. Lambda's own lines are
  // kept only for what went wrong.
  logBytesPerBatch: 190,
  logBytesPerTick: 1_900,
  // A metric costs nothing in the hours in which it is not written, and a run without trouble writes none: figures are in the log.
  metrics: 0,
  // Nine alarms, of which two watch two metrics each.
  alarms: 11,
  // The first three of an account are free, and BACKFILL_DASHBOARD=false leaves it out.
  dashboards: 0,
};

export interface Usage {
  /** How long the run takes, pauses excluded. */
  readonly seconds: number;
  readonly batches: number;
  readonly ticks: number;
  readonly consumerGbSeconds: number;
  readonly readerGbSeconds: number;
  readonly lambdaRequests: number;
  readonly sqsRequests: number;
  readonly dynamoWriteUnits: number;
  readonly dynamoReadUnits: number;
  readonly schedulerInvocations: number;
  readonly logGb: number;
  /** Hours in which the database is awake: with a batch every few seconds, the whole run. */
  readonly databaseComputeUnitHours: number;
}

const TICK_SECONDS = 60;
const BYTES_PER_GB = 1024 ** 3;

/** Billed milliseconds for one batch of this many events. */
export function batchMsOf(events: number, work: UnitWork = UNIT_WORK): number {
  return work.batchMs + work.eventMs * events;
}

export function usageOf(workload: Workload, work: UnitWork = UNIT_WORK): Usage {
  const batches = Math.ceil(workload.events / workload.batchSize);
  const seconds = durationSeconds(workload, work);
  const ticks = Math.ceil(seconds / TICK_SECONDS);
  const memoryGb = workload.functionMemoryMb / 1024;
  return {
    seconds,
    batches,
    ticks,
    consumerGbSeconds: ((batches * work.batchMs + workload.events * work.eventMs) * memoryGb) / 1000,
    readerGbSeconds: (ticks * work.tickMs * memoryGb) / 1000,
    lambdaRequests: batches + ticks,
    sqsRequests: batches * work.sqsRequestsPerBatch + ticks * (work.sqsRequestsPerTick + work.sqsPollsPerMinute),
    dynamoWriteUnits: batches * work.dynamoWriteUnitsPerBatch + ticks * work.dynamoWriteUnitsPerTick,
    dynamoReadUnits: batches * work.dynamoReadUnitsPerBatch + ticks * work.dynamoReadUnitsPerTick,
    schedulerInvocations: ticks,
    logGb: (batches * work.logBytesPerBatch + ticks * work.logBytesPerTick) / BYTES_PER_GB,
    databaseComputeUnitHours: (workload.databaseComputeUnits * seconds) / 3600,
  };
}

/** From the pace if there is one; otherwise from the consumers' speed in parallel. */
function durationSeconds({ events, batchSize, batchDelayMs, maxConcurrent }: Workload, work: UnitWork): number {
  const batchMs = batchDelayMs === 0 ? batchMsOf(batchSize, work) / maxConcurrent : batchDelayMs;
  return ((events / batchSize) * batchMs) / 1000;
}
