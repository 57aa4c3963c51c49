/**
 * From a frame to events, through the filter: bytes are copied for what passes it, and for nothing else.
 * Pure; what breaks a rule comes out as a dead entry beside the rest.
 */
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import { carRoot, findBlocks, type WantedBlock } from "./car.ts";
import { checkCommit, isCommitProblem } from "./commit.ts";
import { extractCommit } from "./extract-commit.ts";
import { deadFrame, type Extract, type ExtractRules, type SignedCommit, signedCommit } from "./extract-parts.ts";
import type { MessageFrame, SyncFrame } from "./frame-types.ts";

/** How many events a frame holds, whatever the filter says. */
export function countEvents(frame: MessageFrame): number {
  return frame.kind === "commit" ? frame.ops.length : 1;
}

/** `timeMs` is the frame's own time, or a stand-in where it has none that can be read. */
export function extractEvents(bytes: Buffer, frame: MessageFrame, timeMs: number, rules: ExtractRules): Extract {
  if (frame.did !== "" && !rules.filter.passesDid(frame.did)) {
    const received = countEvents(frame);
    return { received, skippedDid: received, skippedCollection: 0, events: [], signed: null };
  }
  if (frame.kind === "commit") return extractCommit(bytes, frame, timeMs, rules);
  if (frame.fault !== null) return only(deadFrame(bytes, frame, timeMs, frame.fault));
  const { seq, did } = frame;
  switch (frame.kind) {
    case "sync":
      return extractSync(bytes, frame, timeMs, rules);
    case "identity":
      return only({ kind: "identity", seq, timeMs, did, handle: frame.handle });
    case "account":
      return only({ kind: "account", seq, timeMs, did, active: frame.active, status: frame.status });
    default: {
      const unreachable: never = frame;
      return unreachable;
    }
  }
}

function only(event: FirehoseEvent, signed: SignedCommit | null = null): Extract {
  return { received: 1, skippedDid: 0, skippedCollection: 0, events: [event], signed };
}

function extractSync(bytes: Buffer, frame: SyncFrame, timeMs: number, rules: ExtractRules): Extract {
  const { seq, did, rev } = frame;
  const event: FirehoseEvent = { kind: "sync", seq, timeMs, did, rev };
  if (rules.verify === "structure") return only(event);
  const dead = (reason: string, error: string) => only(deadFrame(bytes, frame, timeMs, { reason, error }));

  const root = carRoot(bytes, frame.blocksStart, frame.blocksEnd);
  if (typeof root === "string") return dead("bad-car", root);
  const block: WantedBlock = { cid: root, start: -1, end: -1 };
  const found = findBlocks(bytes, frame.blocksStart, frame.blocksEnd, [block]);
  if (typeof found === "string") return dead("bad-car", found);
  const { start, end } = block;
  if (start === -1) return dead("missing-commit", "the commit block is not in the archive");
  const commit = checkCommit(bytes, start, end, { did, rev, cid: root });
  if (isCommitProblem(commit)) return dead(commit.reason, commit.error);
  return only(event, rules.verify === "signature" ? signedCommit(bytes, start, end, commit) : null);
}
