/**
 * Looks at a relay before a run: where the run would begin and end, and samples of the stream in between. It makes one connection
 * after the other, two a second at most, and closes each after a thousand frames.
 */
import type { Position } from "@firehose-backfill/core/position";
import type { EndPoint, StartPoint } from "@firehose-backfill/source/points";
import type { SurveyRequest as PortRequest } from "@firehose-backfill/source/kit";
import { type Survey, SurveyError, type TimedCursor } from "@firehose-backfill/source/survey";
import { findHead, type Look } from "./find-head.ts";
import type { SampleOptions, SampleResult, StreamSample } from "./sample.ts";
import type { SeekOptions, SeekResult } from "./seek.ts";
import type { Filter } from "./types.ts";

export interface SurveyDeps extends Pick<SeekOptions, "clock" | "random" | "userAgent"> {
  readonly sampleStream: (options: SampleOptions, signal: AbortSignal) => Promise<SampleResult>;
  readonly seekCursor: (options: SeekOptions, signal: AbortSignal) => Promise<SeekResult>;
}

export interface SurveyRequest extends Pick<PortRequest, "host" | "start" | "end"> {
  readonly url: string;
  readonly filter: Filter;
  /** A recording keeps everything, at any age. */
  readonly isRecording: boolean;
  /** How many samples are taken. */
  readonly positions?: number;
  /** The time between two looks. */
  readonly spacingMs?: number;
}

/** The part of the stream from one look to the next, with the sample at its beginning. */
interface Stretch {
  readonly from: Position;
  readonly to: Position;
  readonly sample: StreamSample | null;
}

const POSITIONS = 8;
const SPACING_MS = 500;
/** So many looks may fail and are repeated. */
const MAX_FAILURES = 2;

/** @throws SurveyError */
export async function surveyRelay(deps: SurveyDeps, request: SurveyRequest, signal: AbortSignal): Promise<Survey> {
  const looker = startLooking(deps, request, signal);
  const atMs = deps.clock.now();
  const { start, end, positions = POSITIONS } = request;
  const seek = (timeMs: number) => looker.seek(timeMs);

  const sought = start.kind === "time" ? await seek(start.timeMs) : null;
  const oldest = sought?.oldestKept ?? (await looker.oldest());
  const head = sought?.head ?? (await findHead(looker.look, oldest));
  const from = startOf(start, { sought: sought?.from ?? null, oldest, head });
  const to = await endOf(end, { head, atMs, seek });

  const stretches: Stretch[] = [];
  const edges = edgesOf(from.seq, to.seq, positions);
  for (const [index, cursor] of edges.slice(0, -1).entries()) {
    const untilSeq = edges[index + 1] ?? to.seq;
    const sample = await looker.look(cursor, untilSeq);
    stretches.push({ from: { seq: cursor, timeMs: sample?.first.timeMs ?? Number.NaN }, to, sample });
  }
  if (stretches.length > 0 && stretches.every(({ sample }) => sample === null))
    throw new SurveyError(`${request.host} shows no frames between ${from.seq} and ${to.seq}`);
  const joint = joined(stretches, from, to);
  const counted = start.kind === "time" ? cutBefore(joint, start.timeMs) : joint;
  return {
    host: request.host,
    atMs,
    wantedFromMs: start.kind === "time" ? start.timeMs : null,
    stretches: counted.map(toPort),
    isClamped: sought?.isClamped ?? false,
    endsLater: end.kind === "time" && end.timeMs > atMs,
    oldestKept: request.isRecording ? null : cursorOf(oldest),
    looks: looker.looks(),
  };
}

function toPort({ from, to, sample }: Stretch): Survey["stretches"][number] {
  const ends = { from: cursorOf(from), to: cursorOf(to) };
  if (sample === null) return { ...ends, sample };
  return { ...ends, sample: { ...sample, first: cursorOf(sample.first), last: cursorOf(sample.last) } };
}

function cursorOf({ seq, timeMs }: Position): TimedCursor {
  return { ordinal: seq, timeMs, token: null };
}

function startOf(
  start: StartPoint,
  at: { readonly sought: Position | null; readonly oldest: Position; readonly head: Position },
): Position {
  switch (start.kind) {
    case "oldest":
      return below(at.oldest);
    case "live":
      return at.head;
    case "seq":
      return { seq: Math.max(start.seq, at.oldest.seq - 1), timeMs: at.oldest.timeMs };
    case "time":
      return at.sought ?? below(at.oldest);
    default: {
      const unreachable: never = start;
      return unreachable;
    }
  }
}

/** The cursor before this frame, because reading begins behind a cursor. */
function below({ seq, timeMs }: Position): Position {
  return { seq: Math.max(0, seq - 1), timeMs };
}

async function endOf(
  end: EndPoint,
  at: {
    readonly head: Position;
    readonly atMs: number;
    readonly seek: (timeMs: number) => Promise<SeekResult>;
  },
): Promise<Position> {
  const { head } = at;
  switch (end.kind) {
    case "caught-up":
      return head;
    case "seq":
      return end.seq < head.seq ? { seq: end.seq, timeMs: head.timeMs } : head;
    case "time":
      if (end.timeMs >= Math.min(at.atMs, head.timeMs)) return head;
      return { ...((await at.seek(end.timeMs)).from ?? head), timeMs: end.timeMs };
    default: {
      const unreachable: never = end;
      return unreachable;
    }
  }
}

/** The cursors of the samples, evenly over the stretch, and fewer if it has fewer numbers than that. */
function edgesOf(fromSeq: number, toSeq: number, positions: number): readonly number[] {
  const span = toSeq - fromSeq;
  if (span <= 0) return [];
  const parts = Math.min(positions, span);
  return Array.from({ length: parts + 1 }, (_, index) => fromSeq + Math.floor((span * index) / parts));
}

/** Lets each stretch end where the next one begins. A time that no sample has shown is interpolated between its neighbours. */
function joined(stretches: readonly Stretch[], from: Position, to: Position): readonly Stretch[] {
  const known = [...stretches.map((stretch) => stretch.from), to];
  const timeAt = (index: number): number => {
    const own = known[index]?.timeMs ?? Number.NaN;
    if (!Number.isNaN(own)) return Math.min(own, to.timeMs);
    const before = known.slice(0, index).findLast(({ timeMs }) => !Number.isNaN(timeMs)) ?? from;
    const after = known.slice(index + 1).find(({ timeMs }) => !Number.isNaN(timeMs)) ?? to;
    const seq = known[index]?.seq ?? after.seq;
    const share = after.seq === before.seq ? 0 : (seq - before.seq) / (after.seq - before.seq);
    return Math.min(before.timeMs + share * (after.timeMs - before.timeMs), to.timeMs);
  };
  const edges = known.map(({ seq }, index) => ({ seq, timeMs: timeAt(index) }));
  return stretches.map(({ sample }, index) => ({ from: edges[index] ?? from, to: edges[index + 1] ?? to, sample }));
}

/** Cuts off what is before the start. The search ends a little early, and a run skips that part without pacing. */
function cutBefore(stretches: readonly Stretch[], startMs: number): readonly Stretch[] {
  return stretches.flatMap((stretch) => {
    const { from, to } = stretch;
    if (from.timeMs >= startMs) return [stretch];
    if (to.timeMs <= startMs) return [];
    const share = (startMs - from.timeMs) / (to.timeMs - from.timeMs);
    return [{ ...stretch, from: { seq: from.seq + Math.floor((to.seq - from.seq) * share), timeMs: startMs } }];
  });
}

/** Makes the looks of one survey. It keeps a distance between them, counts them, and repeats a few that fail. */
function startLooking(deps: SurveyDeps, request: SurveyRequest, signal: AbortSignal) {
  const { clock, random, userAgent } = deps;
  const { url, host, filter, spacingMs = SPACING_MS } = request;
  let lastBeganMs = Number.NEGATIVE_INFINITY;
  let looks = 0;
  let failures = 0;

  const look: Look = async (cursor, untilSeq) => {
    const waitMs = lastBeganMs + spacingMs * (1 + random() / 2) - clock.now();
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    signal.throwIfAborted();
    lastBeganMs = clock.now();
    looks += 1;
    const result = await deps.sampleStream({ url, cursor, untilSeq, filter, userAgent, clock }, signal);
    switch (result.kind) {
      case "sample":
        return result.sample;
      case "nothing":
        return null;
      case "failed":
        break;
    }
    failures += 1;
    if (result.isFinal || failures > MAX_FAILURES) throw new SurveyError(`${host} cannot be asked: ${result.detail}`);
    return look(cursor, untilSeq);
  };

  return {
    look,
    looks: () => looks,
    /** The oldest frame that the host keeps. @throws SurveyError */
    async oldest(): Promise<Position> {
      const sample = await look(0, null);
      if (sample === null) throw new SurveyError(`${host} is silent: it shows no frame at its oldest`);
      return sample.first;
    },
    async seek(timeMs: number): Promise<SeekResult> {
      const result = await deps.seekCursor({ url, startTimeMs: timeMs, clock, random, userAgent }, signal);
      signal.throwIfAborted();
      looks += result.probes;
      lastBeganMs = clock.now();
      if (result.oldestKept !== null) return result;
      throw new SurveyError(`${host} cannot be asked: ${result.detail ?? `it is ${result.endedBecause}`}`);
    },
  };
}
