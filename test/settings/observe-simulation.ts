/** What a setting does to a run on the virtual clock: the real use cases, ten minutes of it. */
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { measurePace } from "../simulation/pace-of.ts";
import { simulate } from "../simulation/simulate.ts";

export interface SimulatedRun {
  readonly ratePerSecond: number;
  readonly largestBatch: number;
  readonly mostAtOnce: number;
  readonly daysBack: number;
}

const DAY_MS = 86_400_000;
const STREAM_DAYS = 10;
const COMMIT_EVERY_MS = 1_000;
const LENGTH_MS = 600_000;

export async function observeSimulation(
  settings: Readonly<Record<string, string>>,
  options: { readonly latencyMs?: number } = {},
): Promise<SimulatedRun> {
  const startTimeMs = new VirtualClock().now() - STREAM_DAYS * DAY_MS;
  const simulation = await simulate({ settings, ...options, stream: { startTimeMs, stepMs: COMMIT_EVERY_MS } });
  await simulation.pass(LENGTH_MS);
  const { applied, mostAtOnce } = simulation.database;
  const { startPosition } = await simulation.run();
  await simulation.stop();
  const { startMs } = simulation;
  return {
    ratePerSecond: measurePace(applied, startMs, startMs + LENGTH_MS).ratePerSecond,
    largestBatch: Math.max(...applied.map(({ events }) => events)),
    mostAtOnce: mostAtOnce(),
    daysBack: Math.round((startMs - (startPosition?.timeMs ?? startMs)) / DAY_MS),
  };
}

/** Of `rates` the one that it is within 2 % of; null: none. */
export function nearest(rate: number, rates: readonly number[]): number | null {
  return rates.find((candidate) => Math.abs(rate / candidate - 1) < 0.02) ?? null;
}
