/**
 * The frames that are not taken into the stream, because they cannot be read or because their sequence number is not believed.
 * Each is recorded once, as a dead entry. When it comes again, it is ignored.
 */
import { deadEntry } from "@firehose-backfill/core/dead-entry";
import type { DeadEntry } from "@firehose-backfill/core/event";
import type { Position } from "@firehose-backfill/core/position";
import { BadFrames } from "./bad-frames.ts";
import type { MessageFrame, UnknownFrame } from "./frame-types.ts";
import { SetAside } from "./set-aside.ts";
import { IGNORED, type Step } from "./stream-step.ts";
import type { WindowBuilder } from "./window-builder.ts";

export class RefusedFrames {
  readonly #bad: BadFrames;
  readonly #setAside = new SetAside();

  constructor(brokenFrames: number) {
    this.#bad = new BadFrames(brokenFrames);
  }

  /** About the frames that cannot be read: what the next reader and the next connection have to know. */
  get bad(): Pick<BadFrames, "count" | "met" | "isPatienceOver" | "newConnection" | "goodFrame"> {
    return this.#bad;
  }

  has(bytes: Buffer): boolean {
    return this.#setAside.has(bytes);
  }

  /** `after`: where the stream stands, or where it was asked to begin. `isPlaced` false: it has no position yet. */
  takeBroken(bytes: Buffer | null, reason: string, at: Standing, window: WindowBuilder): Step {
    const { after, isPlaced } = at;
    const verdict = this.#bad.judge(bytes, reason, after);
    if (verdict.kind === "dead") {
      const firstEvent = window.events.length;
      window.events.append(verdict.event);
      const refusal = window.refuses(firstEvent);
      if (refusal !== null) return { kind: "full", because: refusal };
      if (bytes !== null) this.#setAside.add(bytes);
      window.addBadFrame(isPlaced ? after : null, bytes?.length ?? 0);
    }
    this.#bad.note(verdict);
    if (verdict.kind === "reconnect") {
      return { kind: "reconnect", detail: `a broken frame after seq ${after.seq}: ${reason}` };
    }
    return IGNORED;
  }

  /** The frame moves nothing. The stream goes on from where it was. */
  takeOutlier(frame: OutlierFrame, bytes: Buffer | null, at: OutlierStanding, window: WindowBuilder): Step {
    if (bytes === null || this.#setAside.has(bytes)) {
      window.addIgnored(bytes?.length ?? 0, "duplicate");
      return IGNORED;
    }
    window.events.append(outlierEntry(frame, bytes, at));
    this.#setAside.add(bytes);
    window.addOutlier(at.position, bytes.length);
    return IGNORED;
  }
}

type OutlierFrame = MessageFrame | (UnknownFrame & { readonly seq: number });

interface Standing {
  readonly after: Position;
  readonly isPlaced: boolean;
}

interface OutlierStanding {
  /** The time of the frame, or another one if its own cannot be read. */
  readonly timeMs: number;
  /** The last number that was believed. */
  readonly last: number;
  /** Where the stream stands. null: it has no position yet. */
  readonly position: Position | null;
}

/** A frame whose sequence number is not believed, as a dead entry. */
function outlierEntry(frame: OutlierFrame, bytes: Buffer, at: OutlierStanding): DeadEntry {
  const { seq } = frame;
  const type = frame.kind === "unknown" ? frame.type : `#${frame.kind}`;
  const did = frame.kind === "unknown" || frame.did === "" ? null : frame.did;
  return deadEntry({
    // It has its own number, so that it becomes the same row when it comes again.
    seq,
    timeMs: at.timeMs,
    did,
    path: null,
    reason: "seq-outlier",
    error: `${type}: seq ${seq} came after ${at.last}, and the frames behind it do not go on from there`,
    payload: bytes,
  });
}
