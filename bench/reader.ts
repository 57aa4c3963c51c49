/** Readers over a WebSocket on loopback: the relay in one process, each contender in another; the bare socket is the lower bound. */
import { startEndlessRelay } from "./endless-relay.ts";
import type { LaneSpec } from "./lane.ts";
import { numbersOf, printLanes, ratio, runLanes } from "./lanes.ts";
import type { Benchmark } from "./benchmark.ts";

const LANES: readonly (readonly [contender: string, mode: LaneSpec["mode"]])[] = [
  ["raw-ws", "receive"],
  ["firehose-backfill", "records"],
  ["firehose-backfill", "hashed"],
  ["firehose-backfill", "messages"],
  ["firehose-backfill", "no-match"],
  ["firehose-backfill", "chain"],
  ["firehose-backfill", "chain-no-match"],
  ["firehose-backfill", "inversion"],
  ["atcute", "records"],
  ["atcute", "no-match"],
  ["ipld", "records"],
  ["clients/skyware", "records"],
  ["clients/atproto-sync", "hashed"],
];

export const reader: Benchmark = {
  summary: "frames/s of readers over loopback, beside the bare socket [--rounds N] [--seconds N]",
  async run(args) {
    const options = numbersOf(args, { rounds: 5, seconds: 1.2 });
    await using relay = await startEndlessRelay();
    const { url, cursor } = relay;
    const figures = await runLanes(
      LANES.map(([contender, mode]) => ({ kind: "read", contender, mode, url, cursor })),
      options,
    );
    printLanes(figures);
    const [floor, records, hashed, messages, noMatch, chain, chainNoMatch, inversion, atcute, atcuteNoMatch] = figures;
    if (!floor || !records || !hashed || !messages || !noMatch || !atcute || !atcuteNoMatch)
      throw new Error("a lane is missing");
    if (!chain || !chainNoMatch || !inversion) throw new Error("a lane of a level is missing");
    return {
      ...options,
      figures,
      // What the levels of BACKFILL_VERIFY cost: CPU time, in microseconds.
      cpuMicrosecondsAFrame: Object.fromEntries(
        [noMatch, hashed, chainNoMatch, chain, inversion].map((lane) => [
          lane.mode,
          Math.round(1e7 / lane.framesPerCpuSecond) / 10,
        ]),
      ),
      ratios: {
        "records / @atcute": ratio(records, atcute),
        "hashed / @atcute": ratio(hashed, atcute),
        "messages / @atcute": ratio(messages, atcute),
        "chain / hashed": ratio(chain, hashed),
        "chain, no match / no match": ratio(chainNoMatch, noMatch),
        "inversion / hashed": ratio(inversion, hashed),
        "no match / bare socket": ratio(noMatch, floor),
        "no match / @atcute with the same filter": ratio(noMatch, atcuteNoMatch),
      },
    };
  },
};
