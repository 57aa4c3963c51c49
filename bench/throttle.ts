/** Measures the project's main promise in real time: each profile's pace, also around a database that hangs, and what the pace costs. */
import { cpus } from "node:os";
import { numbersOf } from "./lanes.ts";
import type { Benchmark } from "./benchmark.ts";
import { PROFILE_NAMES, takeNames } from "./profiles.ts";
import { runThrottle, type ThrottleFigures } from "./throttle-run.ts";

export const throttle: Benchmark = {
  summary:
    "each profile's pace in real time, with and without a database that hangs [--seconds N] [--freeze N, 0: without] [--profiles a,b]",
  async run(args) {
    const { names: profiles, rest } = takeNames(args, "--profiles", PROFILE_NAMES);
    const { seconds, freeze } = numbersOf(rest, { seconds: 120, freeze: 10 });
    const results: ThrottleFigures[] = [];
    for (const profile of profiles) {
      for (const freezeSeconds of new Set([0, freeze])) {
        const figures = await runThrottle({ profile, seconds, freezeSeconds });
        results.push(figures);
        console.error(JSON.stringify(figures));
      }
    }
    return { seconds, cpus: cpus().length, results };
  },
};
