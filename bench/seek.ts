/** How a start by time is found on a relay that keeps 72 hours: connections, seconds, and how long reading all of it would take. */
import { systemClock } from "@firehose-backfill/core/clock";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import type { FrameLog } from "@firehose-backfill/embedded/relay-log";
import { type ReplayRelay, startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { seekCursor } from "@firehose-backfill/firehose/seek";
import { mixedFrames } from "../test/support/recordings.ts";
import { numbersOf } from "./lanes.ts";
import type { Benchmark } from "./benchmark.ts";

const HOUR_MS = 3_600_000;
/** The time that the recording covers, plus a second between two copies. */
const COPY_MS = 350_905;
/** More than a live stream needs during the benchmark. */
const SPARE_COPIES = 300;
const STARTS_HOURS = [71, 48, 24, 1];
/** A live stream: this many frames at once, at this interval. A large relay sends 300 a second. */
const LIVE = { everyMs: 50, frames: 10 };

export const seek: Benchmark = {
  summary: "connections and seconds to find a start by time on a relay of 72 hours [--hours N]",
  async run(args) {
    const { hours } = numbersOf(args, { hours: 72 });
    const nowMs = Date.now();
    const copies = Math.ceil((hours * HOUR_MS) / COPY_MS);
    const firstTimeMs = nowMs - hours * HOUR_MS;
    const log = resealedLog({ frames: mixedFrames(), copies: copies + SPARE_COPIES, seed: "seek", firstTimeMs });
    const untilNow = log.oldestSeq + Math.floor(((log.headSeq - log.oldestSeq) * copies) / (copies + SPARE_COPIES));
    const results = [];
    for (const isLive of [true, false]) {
      for (const manners of [{}, { aboveHead: "live", belowWindow: "silent", fromCursor: "at" }] as const) {
        const frames = growing(log, untilNow);
        await using relay = await startReplayRelay({ frames, ...manners });
        using _growth = isLive ? grow(frames, relay) : null;
        for (const hoursAgo of STARTS_HOURS.filter((start) => start < hours)) {
          const host = `${isLive ? "live" : "quiet"} ${"aboveHead" in manners ? "rainbow" : "PDS"}`;
          results.push({ host, hoursAgo, ...(await seekOne(relay.url, nowMs - hoursAgo * HOUR_MS)) });
          console.error(JSON.stringify(results.at(-1)));
        }
      }
    }
    return { hours, frames: log.frames, results };
  },
};

interface GrowingLog extends FrameLog {
  /** Adds this many frames. */
  grow(frames: number): void;
}

/** A log with a moving head; the head is always a frame of the log. */
function growing(log: FrameLog, nearSeq: number): GrowingLog {
  const later = log.after(nearSeq)[Symbol.iterator]();
  const nextSeq = (): number => {
    const next = later.next();
    if (next.done === true) throw new Error("the log is over");
    return next.value.seq;
  };
  let headSeq = nextSeq();
  return {
    oldestSeq: log.oldestSeq,
    trimmedSeq: log.trimmedSeq,
    get headSeq() {
      return headSeq;
    },
    *after(seq) {
      if (seq >= headSeq) return;
      for (const entry of log.after(seq)) {
        if (entry.seq > headSeq) return;
        yield entry;
      }
    },
    grow(frames) {
      for (let left = frames; left > 0; left--) headSeq = nextSeq();
    },
  };
}

function grow(log: GrowingLog, relay: ReplayRelay): Disposable {
  const timer = setInterval(() => {
    log.grow(LIVE.frames);
    relay.wake();
  }, LIVE.everyMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function seekOne(url: string, startTimeMs: number): Promise<Readonly<Record<string, unknown>>> {
  const began = performance.now();
  const options = { url, startTimeMs, clock: systemClock, random: Math.random, userAgent: "bench" };
  const found = await seekCursor(options, new AbortController().signal);
  const seconds = (performance.now() - began) / 1_000;
  const { endedBecause, from, oldestKept, probes } = found;
  return {
    endedBecause,
    connections: probes,
    seconds: Number(seconds.toFixed(1)),
    minutesBeforeStart: from === null ? null : Number(((startTimeMs - from.timeMs) / 60_000).toFixed(1)),
    /** Sequence numbers that need not be read. */
    passedOver: from === null || oldestKept === null ? 0 : from.seq - oldestKept.seq,
  };
}
