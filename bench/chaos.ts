/**
 * The long kill campaign: the processes of the stack are killed again and again at many points while recorded frames are read. An
 * oracle that shares no code with us checks each run. A difference, or a kill without effect, fails the benchmark.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { runCampaign } from "../test/chaos/campaign.ts";
import { drawPlans } from "../test/chaos/plan.ts";
import { seeded } from "../test/simulation/simulate.ts";
import type { Benchmark } from "./benchmark.ts";

const DEFAULTS = { kills: 100, seed: 1, each: 25, copies: 4 };
/** Used one after the other. The second checks the same promises with slots on a pace. */
const SETTINGS = [
  { BACKFILL_BATCH_SIZE: "10", BACKFILL_BATCH_DELAY_MS: "0", BACKFILL_MAX_CONCURRENT: "2" },
  {
    BACKFILL_BATCH_SIZE: "25",
    BACKFILL_BATCH_DELAY_MS: "50",
    BACKFILL_MAX_CONCURRENT: "3",
    BACKFILL_DB_POOL_SIZE: "3",
  },
  {
    BACKFILL_BATCH_SIZE: "200",
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_MAX_CONCURRENT: "4",
    BACKFILL_DB_POOL_SIZE: "4",
  },
] as const;

export const chaos: Benchmark = {
  summary: "SIGKILL everywhere, judged row for row [--kills 100] [--seed 1] [--each 25 kills a run] [--copies 4]",
  async run(args) {
    const options = { ...DEFAULTS, ...numbers(args) };
    const kills: Record<string, number> = {};
    const sums = { runs: 0, kills: 0, events: 0, observations: 0, seconds: 0 };
    const random = seeded(options.seed);
    const plans = drawPlans(random);
    while (sums.kills < options.kills) {
      const folder = await mkdtemp(join(tmpdir(), "firehose-backfill-chaos-"));
      try {
        const before = sums.kills;
        const result = await runCampaign({
          folder,
          // An iterator without `return`, so that a campaign that stops early does not close `plans`; the next one continues there.
          plans: { [Symbol.iterator]: () => ({ next: () => plans.next() }) },
          kills: Math.min(options.each, options.kills - before),
          copies: options.copies,
          seed: `chaos ${options.seed} ${sums.runs}`,
          random,
          settings: SETTINGS[sums.runs % SETTINGS.length] ?? SETTINGS[0],
          onKill: (name, count) => console.error(`run ${sums.runs + 1}, kill ${before + count}: ${name}`),
        });
        if (result.differences.length > 0) throw new Error(result.differences.join("\n"));
        sums.runs += 1;
        sums.events += result.events;
        sums.observations += result.observations;
        sums.seconds += result.seconds;
        for (const [name, n] of Object.entries(result.kills)) {
          kills[name] = (kills[name] ?? 0) + n;
          sums.kills += n;
        }
        console.error(`run ${sums.runs}: ${result.events} events, none lost, none double, after ${result.seconds} s`);
      } finally {
        await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      }
    }
    const { runs, events, observations, seconds } = sums;
    const machine = { cpus: cpus().length, load: Number(loadavg()[2]?.toFixed(1)) };
    return {
      ...options,
      runs,
      kills: sums.kills,
      byKind: kills,
      events,
      lost: 0,
      doubled: 0,
      observations,
      seconds,
      ...machine,
    };
  },
};

function numbers(args: readonly string[]): Partial<typeof DEFAULTS> {
  const given: Record<string, number> = {};
  for (let index = 0; index + 1 < args.length; index += 2) {
    const name = (args[index] ?? "").replace(/^--/, "");
    const value = Number(args[index + 1]);
    if (!(name in DEFAULTS) || !Number.isSafeInteger(value) || value < 1)
      throw new Error(
        `${args[index]} ${args[index + 1]}: it takes ${Object.keys(DEFAULTS).join(", ")}, each a whole number`,
      );
    given[name] = value;
  }
  return given;
}
