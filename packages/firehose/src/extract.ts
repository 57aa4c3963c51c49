/**
 * Turns a frame into events. Bytes are copied only for events that pass the filter. An event that breaks a rule becomes a dead
 * entry, and the other events of the frame stay.
 */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { includesLevel } from "@firehose-backfill/core/config/settings";
import type { DeadEntry, LinkEvent, MarkerEvent } from "@firehose-backfill/core/event";
import { carRoot, findBlocks, WantedBlocks } from "./car.ts";
import { checkCommit, isProblem } from "./commit.ts";
import { extractCommit } from "./extract-commit.ts";
import {
  deadFrame,
  type EventReceiver,
  type Extract,
  type ExtractRules,
  type SignedCommit,
  signedCommit,
} from "./extract-parts.ts";
import { linkOf } from "./link.ts";
import type { MessageFrame, SyncFrame } from "./frame-types.ts";

/** How many events a frame holds before the filter. Data that the host left out of a commit counts as one event. */
export function countEvents(frame: MessageFrame): number {
  if (frame.kind !== "commit") return 1;
  return frame.isTooBig ? frame.ops.length + 1 : frame.ops.length;
}

/** Appends the events that pass the filter. `timeMs` is the time of the frame, or another one if the frame's own cannot be read. */
export function extractEvents(frame: MessageFrame, timeMs: number, rules: ExtractRules, into: EventReceiver): Extract {
  const { filter } = rules;
  if (filter.hasDids && frame.did !== "" && !filter.passesDid(frame.did)) {
    const received = countEvents(frame);
    return { received, skippedDid: received, skippedCollection: 0, events: 0, signed: null };
  }
  if (frame.fault?.reason === "bad-time") return extractUntimed(frame, timeMs, rules, into);
  return extractTimed(frame, timeMs, rules, into);
}

/**
 * Only the time of the frame is wrong, which decides nothing about the order of records. Its events become dead entries, because
 * nobody knows when they happened. The entries keep the events with the time of the stream, so that an operator can try them again.
 */
function extractUntimed(frame: MessageFrame, timeMs: number, rules: ExtractRules, into: EventReceiver): Extract {
  const { fault } = frame;
  if (fault === null || countEvents(frame) === 0) return extractTimed(frame, timeMs, rules, into);
  const events = new EventLog();
  frame.fault = null;
  const extract = extractTimed(frame, timeMs, rules, events);
  frame.fault = fault;
  for (const event of events) {
    const isDead = event.kind === "dead" || event.kind === "range";
    into.append(isDead ? event : deadFrame(frame, timeMs, fault, event));
  }
  return extract;
}

function extractTimed(frame: MessageFrame, timeMs: number, rules: ExtractRules, into: EventReceiver): Extract {
  if (frame.kind === "commit") return extractCommit(frame, timeMs, rules, into);
  const marker = toMarker(frame, timeMs, rules);
  into.append(marker.event);
  if (marker.link !== null) into.append(marker.link);
  const events = marker.link === null ? 1 : 2;
  return { received: events, skippedDid: 0, skippedCollection: 0, events, signed: marker.signed };
}

/** The blocks of the #sync marker that is extracted now. */
const wanted = new WantedBlocks();

interface Marker {
  readonly event: MarkerEvent | DeadEntry;
  readonly signed: SignedCommit | null;
  readonly link: LinkEvent | null;
}

function toMarker(
  frame: Exclude<MessageFrame, { readonly kind: "commit" }>,
  timeMs: number,
  rules: ExtractRules,
): Marker {
  if (frame.fault !== null) return { event: deadFrame(frame, timeMs, frame.fault), signed: null, link: null };
  const { kind, seq, did } = frame;
  switch (kind) {
    case "sync":
      return toSync(frame, timeMs, rules);
    case "identity":
      return { event: { kind, seq, timeMs, did, handle: frame.handle }, signed: null, link: null };
    case "account":
      return {
        event: { kind, seq, timeMs, did, active: frame.active, status: frame.status },
        signed: null,
        link: null,
      };
    default: {
      const unreachable: never = kind;
      return unreachable;
    }
  }
}

function toSync(frame: SyncFrame, timeMs: number, rules: ExtractRules): Marker {
  const { bytes, seq, did, rev, blocksStart, blocksEnd } = frame;
  const event = { kind: "sync", seq, timeMs, did, rev } as const;
  if (rules.verify === "structure") return { event, signed: null, link: null };
  const dead = (reason: string, error: string): Marker => ({
    event: deadFrame(frame, timeMs, { reason, error }),
    signed: null,
    link: null,
  });

  const root = carRoot(bytes, blocksStart, blocksEnd);
  if (typeof root === "string") return dead("bad-car", root);
  wanted.clear();
  const block = wanted.add(root);
  const found = findBlocks(bytes, blocksStart, blocksEnd, wanted);
  if (typeof found === "string") return dead("bad-car", found);
  const start = wanted.starts[block] ?? -1;
  const end = wanted.ends[block] ?? -1;
  if (start === -1) return dead("missing-commit", "the commit block is not in the archive");
  const commit = checkCommit(frame, root, start, end);
  if (isProblem(commit)) return dead(commit.reason, commit.error);
  return {
    event,
    signed: includesLevel(rules.verify, "signature") ? signedCommit(frame, start, end, commit) : null,
    link: includesLevel(rules.verify, "chain") ? linkOf(frame, timeMs, commit.data) : null,
  };
}
