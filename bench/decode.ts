/** Decoders only: recorded frames in memory, one process for each contender. */
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
  ["skyware", "records"],
  ["atproto-sync", "hashed"],
];

export const decode: Benchmark = {
  summary: "frames/s of decoders, frames in memory [--rounds N] [--seconds N]",
  async run(args) {
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
