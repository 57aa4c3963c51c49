/**
 * Takes a sample of a stream behind a cursor: how many events its frames hold, how many of them pass the filters, and how large
 * they are. It uses the filter and the extraction of the reader, so that an estimate counts what a run would count.
 */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import type { Position } from "@firehose-backfill/core/position";
import type { Sample } from "@firehose-backfill/source/survey";
import { medianTime } from "./event-time.ts";
import { extractEvents } from "./extract.ts";
import type { MessageFrame } from "./frame-types.ts";
import { type ProbeOptions, probeStream, type ProbeResult } from "./probe.ts";
import { firstBelieved, lastBelieved } from "./seq-doubt.ts";
import { FEWEST_FRAMES } from "./seek-search.ts";
import type { Filter } from "./types.ts";

export interface SampleOptions extends Pick<ProbeOptions, "url" | "cursor" | "userAgent" | "clock"> {
  /** Frames above it belong to the next sample. null: there is no bound. */
  readonly untilSeq: number | null;
  readonly filter: Filter;
  readonly limits?: Partial<SampleLimits>;
}

export interface SampleLimits {
  /** After so many frames, or so many bytes of frames, the connection is closed. */
  readonly frames: number;
  readonly bytes: number;
  /** How long frames may take after the first one. */
  readonly forMs: number;
  readonly connectTimeoutMs: number;
  /** How long to wait for the first frame. */
  readonly listenMs: number;
}

/** One look costs the relay a few seconds of live traffic at most. */
export const DEFAULT_SAMPLE_LIMITS: SampleLimits = {
  frames: 1_000,
  bytes: 4_000_000,
  forMs: 1_500,
  connectTimeoutMs: 10_000,
  listenMs: 5_000,
};

/** `isWhole`: frames above `untilSeq` came, so everything up to it was seen. */
export interface StreamSample extends Omit<Sample, "first" | "last"> {
  /** The first frame and the last one, each with the median time of the few frames around it. */
  readonly first: Position;
  readonly last: Position;
}

export type SampleResult =
  | { readonly kind: "sample"; readonly sample: StreamSample }
  /** No frame came, or the cursor is above the head. */
  | { readonly kind: "nothing" }
  /** `isFinal`: the host has answered, and asking again is of no use. */
  | { readonly kind: "failed"; readonly detail: string; readonly isFinal: boolean };

/** Never rejects. */
export async function sampleStream(options: SampleOptions, signal: AbortSignal): Promise<SampleResult> {
  const limits = { ...DEFAULT_SAMPLE_LIMITS, ...options.limits };
  const { url, cursor, untilSeq, userAgent, clock } = options;
  const count = startCount(options.filter);
  const result = await probeStream(
    {
      url,
      cursor,
      userAgent,
      clock,
      connectTimeoutMs: limits.connectTimeoutMs,
      listenMs: limits.listenMs,
      sample: { frames: limits.frames, forMs: limits.forMs },
      onMessage: (frame, bytes) => {
        if (untilSeq !== null && frame.seq > untilSeq) {
          count.close();
          return false;
        }
        count.add(frame, bytes);
        return count.bytes() < limits.bytes;
      },
    },
    signal,
  );
  const sample = count.sample();
  return sample === null ? whyNone(result) : { kind: "sample", sample };
}

function whyNone(result: ProbeResult): SampleResult {
  switch (result.kind) {
    // Frames came, but they are above the bound, or of a kind that is not counted.
    case "frame":
    case "silent":
      return { kind: "nothing" };
    case "error-frame":
      if (result.error === "FutureCursor") return { kind: "nothing" };
      return { kind: "failed", detail: `the host said ${result.error}: ${result.message}`, isFinal: true };
    case "failed":
      return { kind: "failed", detail: result.detail, isFinal: result.status !== undefined };
    default: {
      const unreachable: never = result;
      return unreachable;
    }
  }
}

function startCount(filter: Filter) {
  const log = new EventLog();
  const timesMs: number[] = [];
  const keys = new Set<string>();
  const sums = { bytes: 0, events: 0, matching: 0, recordBytes: 0 };
  const seqs: number[] = [];
  let isWhole = false;
  return {
    bytes: () => sums.bytes,
    close: () => {
      isWhole = true;
    },
    add(frame: MessageFrame, bytes: Buffer): void {
      seqs.push(frame.seq);
      timesMs.push(frame.timeMs);
      sums.bytes += bytes.length;
      // A sample only counts, so nothing is verified. Dead entries count as matching, as they do in a run.
      const rules = { filter, verify: "structure", isAhead: () => false } as const;
      log.truncate(0);
      sums.events += extractEvents(frame, frame.timeMs, rules, log).received;
      sums.matching += log.length;
      for (const event of log) addRecord(event);
    },
    sample(): StreamSample | null {
      // The number of a single frame may be wrong, and then a sample of seconds would look like one of hours.
      const firstSeq = seqs[firstBelieved(seqs)];
      const lastSeq = lastBelieved(seqs);
      if (firstSeq === undefined) return null;
      const first = { seq: firstSeq, timeMs: medianTime(timesMs.slice(0, FEWEST_FRAMES)) ?? Number.NaN };
      const last = { seq: lastSeq, timeMs: medianTime(timesMs.slice(-FEWEST_FRAMES)) ?? Number.NaN };
      return { first, last, isWhole, frames: timesMs.length, rows: keys.size, ...sums };
    },
  };

  function addRecord(event: FirehoseEvent): void {
    if (event.kind !== "record") return;
    keys.add(`${event.did}/${event.collection}/${event.rkey}`);
    sums.recordBytes += event.record?.length ?? 0;
  }
}
