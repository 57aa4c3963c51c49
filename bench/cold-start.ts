/**
 * What an environment costs until it has done something: the import of a bundle, in a fresh process every time, and the first
 * tick and the first batch (first-invocations.ts).
 *
 * Lambda gives the import (its init phase) a full core whatever the memory, and the handler the share of a core that goes with the
 * memory. So a first answer takes the CPU time of the import, and then the CPU time of the handler divided by the share; what the
 * handler waits for comes on top. Beside other programs this sum says more than the clock.
 */
import { execFile } from "node:child_process";
import { cpus } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { PROFILES } from "@firehose-backfill/core/config/profiles";
import { functionMemoryMb } from "@firehose-backfill/core/cost/function-memory";
import { bundleFunctions } from "../scripts/bundle-functions.ts";
import { MB_OF_ONE_CORE } from "../test/functions/host/cpu-share.ts";
import { temporaryFolder } from "../test/support/program.ts";
import { type FirstInvocation, firstInvocations } from "./first-invocations.ts";
import { median, numbersOf } from "./lanes.ts";
import type { Benchmark } from "./benchmark.ts";

/** No settings, because loading a bundle needs none. */
const ENV = {};

/** The smallest memory that a profile or a setting gives a function. */
const LEAST_MEMORY_MB = functionMemoryMb(0);

/** To the first batch applied, with the least memory. */
const GOAL_MS = 1_200;

export const coldStart: Benchmark = {
  summary:
    "milliseconds to load each bundle, and to the first tick and the first batch [--times N] [--rounds N] [--memory MB]",
  async run(args) {
    const configured = functionMemoryMb(PROFILES.background.maxMemoryMb);
    const { times, rounds, memory } = numbersOf(args, { times: 21, rounds: 9, memory: configured });
    const imports = await measureImports(times);
    for (const { name, kib, medianMs, leastMs, cpuMs } of imports)
      console.error(`${name.padEnd(10)}${kib} KiB, ${cpuMs} ms of CPU, ${medianMs} ms (least ${leastMs})`);
    const { reader, consumer } = await firstInvocations({ rounds, cpuShare: memory / MB_OF_ONE_CORE });
    const first = { tick: figuresOf(reader, memory), batch: figuresOf(consumer, memory) };
    for (const [what, figures] of Object.entries(first)) console.error(`first ${what}: ${JSON.stringify(figures)}`);
    const isGoalMet = (first.batch.toAnswerMs[LEAST_MEMORY_MB] ?? Infinity) <= GOAL_MS;
    return { times, rounds, memoryMb: memory, cpus: cpus().length, imports, first, goalMs: GOAL_MS, isGoalMet };
  },
};

async function measureImports(times: number) {
  await using folder = await temporaryFolder();
  const bundles = await bundleFunctions(folder.path);
  const taken = new Map<string, Import[]>(bundles.map(({ name }) => [name, []]));
  // In turn, so that a disturbance of the machine affects all of them.
  for (let round = 0; round < times; round += 1)
    for (const [name, each] of taken) each.push(await importOnce(join(folder.path, `${name}.mjs`)));
  return bundles.map(({ name, bytes }) => {
    const each = taken.get(name) ?? [];
    const clock = each.map(({ ms }) => ms);
    return {
      name,
      kib: Math.round(bytes / 1024),
      medianMs: Math.round(median(clock)),
      leastMs: Math.round(Math.min(...clock)),
      cpuMs: Math.round(median(each.map(({ cpuMs }) => cpuMs))),
    };
  });
}

interface Import {
  readonly ms: number;
  readonly cpuMs: number;
}

async function importOnce(path: string): Promise<Import> {
  const script = `
    const [before, cpuBefore] = [performance.now(), process.cpuUsage()];
    await import(${JSON.stringify(path)});
    const [ms, { user, system }] = [performance.now() - before, process.cpuUsage(cpuBefore)];
    process.stdout.write(JSON.stringify({ ms, cpuMs: (user + system) / 1000 }));
    process.exit(0);`;
  const args = ["--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: ENV });
  return JSON.parse(stdout);
}

/** Medians. `toAnswerMs`: from the begin of the import to the answer, by CPU time; by memory. */
function figuresOf(rounds: readonly FirstInvocation[], memoryMb: number) {
  const of = (value: (round: FirstInvocation) => number) => Math.round(median(rounds.map(value)));
  const toAnswer = (memory: number) =>
    of(({ importCpuMs, handlerCpuMs }) => importCpuMs + (handlerCpuMs * MB_OF_ONE_CORE) / memory);
  return {
    importCpuMs: of(({ importCpuMs }) => importCpuMs),
    handlerCpuMs: of(({ handlerCpuMs }) => handlerCpuMs),
    leastHandlerCpuMs: Math.round(Math.min(...rounds.map(({ handlerCpuMs }) => handlerCpuMs))),
    toAnswerMs: { [memoryMb]: toAnswer(memoryMb), [LEAST_MEMORY_MB]: toAnswer(LEAST_MEMORY_MB) },
    byTheClock: { importMs: of(({ importMs }) => importMs), handlerMs: of(({ handlerMs }) => handlerMs) },
  };
}
