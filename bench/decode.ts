/** Decoders only: recorded frames in memory, one process for each contender. */
import { instructionsPerFrame } from "./instructions.ts";
import type { LaneSpec } from "./lane.ts";
import { numbersOf, printLanes, ratio, runLanes } from "./lanes.ts";
import type { Benchmark } from "./benchmark.ts";

const LANES: readonly (readonly [contender: string, mode: LaneSpec["mode"]])[] = [
  ["firehose-backfill", "records"],
  ["firehose-backfill", "hashed"],
  ["firehose-backfill", "no-match"],
  ["firehose-backfill", "dids"],
  ["atcute", "records"],
  ["atcute", "no-match"],
  ["atcute-usual", "records"],
  ["ipld", "records"],
  ["clients/skyware", "records"],
  ["clients/atproto-sync", "hashed"],
  ["firehose-backfill", "chain"],
  ["firehose-backfill", "chain-no-match"],
  ["firehose-backfill", "inversion"],
];

export const decode: Benchmark = {
  summary:
    "frames/s of decoders, frames in memory [--rounds N] [--seconds N]; --instructions: instructions for a frame, by valgrind",
  async run(args) {
    if (args.includes("--instructions")) return countInstructions();
    const options = numbersOf(args, { rounds: 5, seconds: 0.6 });
    const figures = await runLanes(
      LANES.map(([contender, mode]) => ({ kind: "decode", contender, mode })),
      options,
    );
    printLanes(figures);
    const [records, hashed, noMatch, dids, atcute, atcuteNoMatch] = figures;
    if (!records || !hashed || !noMatch || !dids || !atcute || !atcuteNoMatch) throw new Error("a lane is missing");
    return {
      ...options,
      figures,
      ratios: {
        "records / @atcute leanest": ratio(records, atcute),
        "hashed / @atcute leanest": ratio(hashed, atcute),
        "no match / @atcute leanest": ratio(noMatch, atcute),
        "no match / @atcute with the same filter": ratio(noMatch, atcuteNoMatch),
        "records of 10,000 DIDs / records": ratio(dids, records),
      },
    };
  },
};

/** The lanes that the goals compare. */
const COUNTED = LANES.filter(([contender]) => contender === "firehose-backfill" || contender === "atcute");

async function countInstructions(): Promise<Readonly<Record<string, unknown>>> {
  const figures: { contender: string; mode: string; instructions: number }[] = [];
  for (const [contender, mode] of COUNTED) {
    const instructions = await instructionsPerFrame({ kind: "decode", contender, mode });
    if (instructions === null) throw new Error("--instructions needs valgrind, which is not installed");
    console.error(
      `${`${contender} (${mode})`.padEnd(32)}${String(instructions).padStart(10)} instructions for a frame`,
    );
    figures.push({ contender, mode, instructions });
  }
  const atcute = figures.find(({ contender, mode }) => contender === "atcute" && mode === "records");
  const ratios = figures.map(({ contender, mode, instructions }) => [
    `@atcute leanest / ${contender} ${mode}`,
    Number(((atcute?.instructions ?? Number.NaN) / instructions).toFixed(2)),
  ]);
  return { figures, ratios: Object.fromEntries(ratios) };
}
