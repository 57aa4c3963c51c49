/**
 * What an event costs: CPU time of our own process beside that of a simple program with @atcute, on the same frames, in turn. The stand-ins for
 * SQS and DynamoDB and the database are counted apart. The price of the start is taken away with a run over few events, so that the figures
 * do not depend on the number of events.
 */
import type { ReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { median, numbersOf } from "./lanes.ts";
import type { Benchmark } from "./benchmark.ts";
import { medianInterval } from "./median-interval.ts";
import { runNaive } from "./naive-run.ts";
import { runPipeline } from "./pipeline-run.ts";
import { relayOf } from "./pipeline.ts";
import { cpuSecondsOfTree } from "./process-tree.ts";
import { scratchPostgres } from "./scratch-postgres.ts";

const PEER = "naive-atcute";
const FEW_COPIES = 1;
const STAND_INS = ["queue", "table"];
const MICROSECONDS = 1_000_000;

type Who = "ours" | "peer";

/** CPU seconds of one run over one relay. */
interface Run {
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly own: number;
  readonly standIns: number;
  readonly postgres: number;
}

/** CPU microseconds of an event. */
interface Price {
  readonly own: number;
  readonly standIns: number;
  readonly postgres: number;
  readonly eventsPerSecond: number;
}

export const price: Benchmark = {
  summary:
    "CPU time of an event, ours beside @atcute with inserts of 500 [--copies N] [--rounds N] [--batch N] [--concurrent N]",
  async run(args) {
    const { rounds, copies, ...batches } = numbersOf(args, { copies: 12, rounds: 3, batch: 500, concurrent: 4 });
    await using few = await relayOf(FEW_COPIES);
    await using many = await relayOf(copies);
    const prices: Record<Who, Price[]> = { ours: [], peer: [] };
    for (let round = 0; round < rounds; round++) {
      const order: readonly Who[] = round % 2 === 0 ? ["peer", "ours"] : ["ours", "peer"];
      for (const who of order) {
        const found = priceOf(await runOne(who, few, batches), await runOne(who, many, batches));
        prices[who].push(found);
        console.error(`round ${round + 1}: ${who} ${JSON.stringify(found)}`);
      }
    }
    const ratio = (key: keyof Price) =>
      medianInterval(prices.ours.map((of, at) => of[key] / (prices.peer[at]?.[key] ?? Number.NaN)));
    return {
      copies,
      rounds,
      ...batches,
      cpuMicrosecondsPerEvent: { ours: medians(prices.ours), "@atcute, inserts of 500": medians(prices.peer) },
      "ours / @atcute": {
        ownCpu: ratio("own"),
        postgresCpu: ratio("postgres"),
        eventsPerSecond: ratio("eventsPerSecond"),
      },
    };
  },
};

async function runOne(
  who: Who,
  relay: ReplayRelay,
  batches: { readonly batch: number; readonly concurrent: number },
): Promise<Run> {
  await using server = await scratchPostgres();
  const { databaseUrl } = server;
  const before = cpuSecondsOfTree(server.pid);
  const postgres = () => cpuSecondsOfTree(server.pid) - before;
  if (who === "peer") {
    const { events, seconds, cpuSeconds: own } = await runNaive(PEER, relay, databaseUrl);
    return { events, eventsPerSecond: Math.round(events / seconds), own, standIns: 0, postgres: postgres() };
  }
  const { events, eventsPerSecond, ownCpuSeconds, parts } = await runPipeline({ relay, ...batches, databaseUrl });
  const standIns = STAND_INS.reduce((sum, name) => sum + (parts[name]?.cpuSeconds ?? 0), 0);
  return { events, eventsPerSecond, own: ownCpuSeconds, standIns, postgres: postgres() };
}

function priceOf(few: Run, many: Run): Price {
  const perEvent = (key: "own" | "standIns" | "postgres") =>
    Number((((many[key] - few[key]) * MICROSECONDS) / (many.events - few.events)).toFixed(1));
  return {
    own: perEvent("own"),
    standIns: perEvent("standIns"),
    postgres: perEvent("postgres"),
    eventsPerSecond: many.eventsPerSecond,
  };
}

function medians(prices: readonly Price[]): Price {
  const of = (key: keyof Price) => median(prices.map((each) => each[key]));
  return { own: of("own"), standIns: of("standIns"), postgres: of("postgres"), eventsPerSecond: of("eventsPerSecond") };
}
