/**
 * A reader over one repository in a process of its own, with the table and the queue as it has them when it is deployed. It plans everything; nothing is
 * applied. Prints one line of JSON. repo-reader-memory.slow.test.ts starts it as built JavaScript.
 */
import { readFileSync } from "node:fs";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { runTick } from "@firehose-backfill/backfill/run-tick";
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { systemNames } from "@firehose-backfill/repos/http/system-names";
import { reposKit } from "@firehose-backfill/repos/source/kit";
import { openAdapters } from "@firehose-backfill/server/adapters";
import { processMemoryGuard } from "@firehose-backfill/throttle/process-memory";
import { deployedReaderTiming } from "../../functions/shared/reader-timing.ts";

export interface RepoReaderTask {
  readonly plcUrl: string;
  readonly did: string;
  readonly table: string;
  readonly tableEndpoint: string;
  readonly queueUrl: string;
  readonly dlqUrl: string;
  readonly queueEndpoint: string;
}

export interface RepoReaderFigures {
  /** Records that were planned. */
  readonly received: number;
  readonly ticks: number;
  readonly startMb: number;
  readonly mostMb: number;
}

/** More requests than a host may be asked: the memory does not depend on it, and the test's duration does. */
const HOST_RATE = 1_000;
const REMAINING_MS = 120_000;
const MOST_WINDOWS = 1_000;

const task: RepoReaderTask = JSON.parse(process.argv[2] ?? "null");
const clock = systemClock;
const random = Math.random;
const { plcUrl } = task;
const config = parseConfig({
  BACKFILL_SOURCE: "repos",
  BACKFILL_DIDS: task.did,
  BACKFILL_PLC_URL: plcUrl,
  BACKFILL_BATCH_SIZE: "50",
  // A read-ahead of two minutes is all of it.
  BACKFILL_BATCH_DELAY_MS: "1",
});
const { store, items, queue } = openAdapters(task, { clock, random });
const kit = { clock, random, userAgent: "memory/1", resolveName: systemNames, plcUrl };
const repos = reposKit({ ...kit, hostRate: HOST_RATE, items });
const startMb = memoryMb("VmRSS");
const created = await store.createRun(newRun(config, { runId: "memory", nowMs: clock.now() }));
const deps = {
  clock,
  random,
  store,
  queue,
  sources: { repos },
  memory: processMemoryGuard(clock, () => config.settings.maxMemoryMb),
  offPeak: null,
  limits: null,
  owner: "memory",
  log: () => {},
};
let run = created;
let ticks = 0;
while (run.target === null && (run.status === "enqueued" || run.status === "running")) {
  ticks += 1;
  const timing = deployedReaderTiming({ remainingMs: REMAINING_MS });
  await runTick({ ...deps, timing }, { signal: new AbortController().signal, firstRuns: null });
  run = (await store.getRun(run.runId)) ?? created;
}
const mostMb = memoryMb("VmHWM");
const windows = await store.openWindows(run, MOST_WINDOWS);
const received = windows.reduce((sum, { window }) => sum + window.received, 0);
const figures: RepoReaderFigures = { received, ticks, startMb, mostMb };
console.log(JSON.stringify(figures));
process.exit(0);

/** Of this program only: the value of getrusage includes the parent's memory from before the fork. */
function memoryMb(name: "VmHWM" | "VmRSS"): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1_024);
}
