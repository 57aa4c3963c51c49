/**
 * All combinations of the throttle's first table, on a virtual clock: an hour of each profile around each stall, at each
 * concurrency, in both orders of the queue, with the database or the consumers stalled. The tests run a part of them.
 */
import {
  CONCURRENCY,
  ORDERS,
  playSquare,
  PROFILES,
  type Square,
  type SquareFigures,
  STALL_SECONDS,
  STALLED,
} from "../test/simulation/grid.ts";
import type { Benchmark } from "./benchmark.ts";
import { PROFILE_NAMES, takeNames } from "./profiles.ts";

/** The worst values over all squares of a profile; for a rate, the one with the largest difference from the allowed rate. */
interface Worst extends SquareFigures {
  /** For each square: batches at once divided by its own max-concurrent. */
  readonly atOnceOfAllowed: number;
  /** For squares whose database hangs: invocations hang, too, as long as they may. Not included in `billedMsPerEvent`. */
  readonly billedMsPerEventHanging: number;
}

interface Played extends SquareFigures {
  readonly square: Square;
}

export const simulation: Benchmark = {
  summary: "the whole grid of stalls, an hour a square, on a virtual clock [--profiles a,b]",
  async run(args) {
    const { names, rest } = takeNames(args, "--profiles", PROFILE_NAMES);
    if (rest.length > 0) throw new Error(`${rest.join(" ")}: not an option of this benchmark`);
    const worst: Record<string, Worst & { readonly squares: number }> = {};
    for (const profile of PROFILES.filter(({ profile: name }) => names.includes(name))) {
      const figures: Played[] = [];
      for (const square of squaresOf(profile)) {
        figures.push({ ...(await playSquare(square)), square });
        if (figures.length % 16 === 0) console.error(`${profile.profile}: ${figures.length} squares`);
      }
      worst[profile.profile] = { squares: figures.length, ...worstOf(figures) };
      console.error(JSON.stringify(worst[profile.profile]));
    }
    return { worst };
  },
};

/** Without a stall, nothing can be stalled, so there is one square instead of two. */
function squaresOf(profile: Square["profile"]): readonly Square[] {
  return STALL_SECONDS.flatMap((stallSeconds) =>
    (stallSeconds === 0 ? STALLED.slice(0, 1) : STALLED).flatMap((stalled) =>
      CONCURRENCY.flatMap((maxConcurrent) =>
        ORDERS.map((order) => ({ profile, stallSeconds, stalled, maxConcurrent, order })),
      ),
    ),
  );
}

function worstOf(figures: readonly Played[]): Worst {
  const of = (pick: (figures: Played) => number): readonly number[] => figures.map(pick);
  const billed = (isHanging: boolean): number =>
    round(
      Math.max(0, ...figures.filter((played) => isHung(played) === isHanging).map((played) => played.billedMsPerEvent)),
    );
  return {
    rateBefore: farthestFromOne(of(({ rateBefore }) => rateBefore)),
    rateAfter: farthestFromOne(of(({ rateAfter }) => rateAfter)),
    fullestMinute: round(Math.max(...of(({ fullestMinute }) => fullestMinute))),
    mostAtOnce: Math.max(...of(({ mostAtOnce }) => mostAtOnce)),
    atOnceOfAllowed: Math.max(...of(({ mostAtOnce, square }) => mostAtOnce / square.maxConcurrent)),
    billedMsPerEvent: billed(false),
    billedMsPerEventHanging: billed(true),
    mostReceives: Math.max(...of(({ mostReceives }) => mostReceives)),
  };
}

function isHung({ square }: Played): boolean {
  return square.stalled === "database" && square.stallSeconds > 0;
}

function farthestFromOne(ratios: readonly number[]): number {
  return round(ratios.reduce((worst, ratio) => (Math.abs(ratio - 1) > Math.abs(worst - 1) ? ratio : worst), 1));
}

function round(value: number): number {
  return Number(value.toFixed(4));
}
