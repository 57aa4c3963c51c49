/** How much a run slows down production on the same Postgres: pgbench with and without it, in ABBA pairs, at each pace. */
import { cpus } from "node:os";
import { runInterference, type InterferenceFigures, type Pace } from "./interference-run.ts";
import { numbersOf } from "./lanes.ts";
import type { Benchmark } from "./benchmark.ts";
import { findPgbench, type Foreground, FOREGROUNDS, openProduction } from "./pgbench.ts";
import { PROFILE_NAMES, takeNames } from "./profiles.ts";
import { processTree } from "./process-tree.ts";
import { takeProcessors } from "./processors.ts";
import { scratchPostgres } from "./scratch-postgres.ts";
import { VARIANT_NAMES } from "./variants.ts";

const PACES: readonly Pace[] = [...PROFILE_NAMES, "unthrottled"];
const CALIBRATION_SECONDS = 5;

export const interference: Benchmark = {
  summary:
    "what pgbench on the same Postgres loses to a run [--pairs 10] [--seconds 8 a slot] [--nice 19] [--pinned 0] [--profiles a,b,unthrottled] [--variants a,b] [--beside tpcb-like,select-only]",
  async run(args) {
    const { names: paces, rest: others } = takeNames(args, "--profiles", PACES);
    const { names: foregrounds, rest: more } = takeNames(others, "--beside", FOREGROUNDS);
    const { names: variants, rest } = more.includes("--variants")
      ? takeNames(more, "--variants", VARIANT_NAMES)
      : { names: ["none"] as const, rest: more };
    const { pairs, seconds, nice: niceness, pinned } = numbersOf(rest, { pairs: 10, seconds: 8, nice: 0, pinned: 1 });
    const processors = takeProcessors(pinned === 1);
    const program = findPgbench();
    const results: InterferenceFigures[] = [];
    let rates: Record<Foreground, number> | null = null;
    for (const [pace, variant] of paces.flatMap((pace) => variants.map((variant) => [pace, variant] as const))) {
      // A new server for each, so that none inherits the state of another.
      await using postgres = await scratchPostgres();
      for (const { pid } of processTree(postgres.pid)) processors.pinDatabase(pid);
      const production = await openProduction([...processors.databaseSide, program], postgres.databaseUrl);
      const half = async (load: Foreground): Promise<number> =>
        Math.round((await production.capacity(load, CALIBRATION_SECONDS)) / 2);
      rates ??= { "tpcb-like": await half("tpcb-like"), "select-only": await half("select-only") };
      console.error(`${pace}, ${variant}, beside ${JSON.stringify(rates)} transactions/s`);
      results.push(
        ...(await runInterference({
          pace,
          variant,
          foregrounds,
          postgres,
          production,
          processors,
          rates,
          pairs,
          seconds,
          niceness,
        })),
      );
    }
    return {
      pairs,
      seconds,
      niceness,
      pinned: processors.arePinned,
      cpus: cpus().length,
      ratePerSecond: rates,
      results,
    };
  },
};
