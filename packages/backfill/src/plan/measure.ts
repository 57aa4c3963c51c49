/** Computes figures from samples: how much lies between two samples, how it varies, and how reliable a few samples are. Pure. */
import type { Sample, Stretch } from "@firehose-backfill/source/survey";
import type { Estimate } from "./types.ts";

/** One stretch, estimated from its sample. */
export interface Measured {
  readonly seconds: number;
  readonly toMs: number;
  readonly frames: number;
  readonly events: number;
  readonly matching: number;
}

export interface Measurement {
  readonly stretches: readonly Measured[];
  readonly frames: number;
  readonly events: number;
  readonly matching: Estimate;
  readonly matchingShare: Estimate;
  readonly arrivalPerSecond: Estimate;
  readonly rows: number;
  readonly recordBytes: number;
  readonly readBytes: number;
}

export function measure(stretches: readonly Stretch[]): Measurement {
  const samples = stretches.flatMap(({ sample }) => (sample === null ? [] : [sample]));
  const all = sumOf(samples);
  const measured = stretches.map((stretch, index) => measureStretch(stretch, nearest(stretches, index) ?? all));
  const total = (key: "seconds" | "frames" | "events" | "matching") =>
    measured.reduce((sum, stretch) => sum + stretch[key], 0);
  const frames = total("frames");
  const events = total("events");
  const matching = total("matching");
  const perFrame = (value: number) => (all.frames === 0 ? 0 : (value / all.frames) * frames);
  const spread = spreadOf(samples, frames);
  const share = events === 0 ? 0 : matching / events;
  const rates = measured.flatMap((one) => (one.seconds > 0 ? [one.events / one.seconds] : []));
  const average = total("seconds") > 0 ? events / total("seconds") : 0;
  return {
    stretches: measured,
    frames,
    events,
    matching: around(matching, spread, events),
    matchingShare: around(share, events === 0 ? 0 : spread / events, 1),
    arrivalPerSecond: { low: Math.min(average, ...rates), expected: average, high: Math.max(average, ...rates) },
    rows: perFrame(all.rows),
    recordBytes: perFrame(all.recordBytes),
    readBytes: perFrame(all.bytes),
  };
}

/** Sequence numbers count frames, but on some hosts with holes: the sample shows how dense they are. */
function measureStretch({ from, to, sample }: Stretch, like: Counts): Measured {
  const span = Math.max(0, to.ordinal - from.ordinal);
  const isWhole =
    sample !== null && sample.first.ordinal > from.ordinal && (sample.isWhole || sample.last.ordinal >= to.ordinal);
  const frames = isWhole ? sample.frames : span * like.density;
  const of = (value: number) => (like.frames === 0 ? 0 : (value / like.frames) * frames);
  const seconds = Math.max(0, (to.timeMs - from.timeMs) / 1_000);
  return { seconds, toMs: to.timeMs, frames, events: of(like.events), matching: of(like.matching) };
}

type Counts = Pick<Sample, "frames" | "events" | "matching" | "rows" | "recordBytes" | "bytes"> & {
  readonly density: number;
};

function sumOf(samples: readonly Sample[]): Counts {
  const sum = (key: "frames" | "events" | "matching" | "rows" | "recordBytes" | "bytes") =>
    samples.reduce((total, sample) => total + sample[key], 0);
  const span = samples.reduce((total, { first, last }) => total + last.ordinal - first.ordinal + 1, 0);
  const frames = sum("frames");
  return {
    frames,
    events: sum("events"),
    matching: sum("matching"),
    rows: sum("rows"),
    recordBytes: sum("recordBytes"),
    bytes: sum("bytes"),
    density: span === 0 ? 0 : Math.min(1, frames / span),
  };
}

/** The stretch's own sample; otherwise the nearest one before it; otherwise the next one after it. */
function nearest(stretches: readonly Stretch[], index: number): Counts | null {
  const before = stretches.slice(0, index + 1).findLast(({ sample }) => sample !== null);
  const sample = (before ?? stretches.slice(index + 1).find((stretch) => stretch.sample !== null))?.sample;
  return sample === undefined || sample === null ? null : sumOf([sample]);
}

/** Two standard errors of the number of matching events: how much the samples differ, and how few events were seen. */
function spreadOf(samples: readonly Sample[], frames: number): number {
  const seen = samples.reduce((sum, sample) => sum + sample.frames, 0);
  // Everything was read.
  if (seen === 0 || seen >= frames) return 0;
  const rates = samples.map((sample) => sample.matching / sample.frames);
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / Math.max(1, rates.length - 1);
  const matching = samples.reduce((sum, sample) => sum + sample.matching, 0);
  // If none was seen, up to three are still likely.
  if (matching === 0) return (3 / seen) * frames;
  return 2 * frames * Math.sqrt(variance / rates.length + matching / seen ** 2);
}

function around(expected: number, spread: number, most: number): Estimate {
  return {
    low: Math.max(0, expected - spread),
    expected,
    high: Math.max(expected, Math.min(most, expected + spread)),
  };
}
