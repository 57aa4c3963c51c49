/** Turns the operations of one #commit that pass the filter into events. */
import { deadEntry, INVERSION_FAILED } from "@firehose-backfill/core/dead-entry";
import type { DeadEntry, RecordAction } from "@firehose-backfill/core/event";
import { MAX_RECORD_BYTES } from "@firehose-backfill/core/cbor/decode-record";
import { utf8Text } from "@firehose-backfill/core/cbor/text";
import { createTextTable } from "@firehose-backfill/core/cbor/text-table";
import { cidEquals } from "@firehose-backfill/core/cid";
import { findBlocks, WantedBlocks } from "./car.ts";
import { includesLevel } from "@firehose-backfill/core/config/settings";
import { MAX_REV_AHEAD_MS } from "@firehose-backfill/core/commit-block";
import { type CheckedCommit, checkCommit, isProblem, type Problem } from "./commit.ts";
import { deadFrame, type EventReceiver, type Extract, type ExtractRules, signedCommit } from "./extract-parts.ts";
import { whyNotInverted } from "./invert.ts";
import { linkOf } from "./link.ts";
import type { CommitFrame, OpSlice } from "./frame-types.ts";
import { isNsid, isRecordKey, tidTimeMs } from "@firehose-backfill/core/syntax";

/** The operation needs no block. */
const NO_BLOCK = -1;

/** An operation that passed the filter, or whose path cannot be read and so cannot be filtered. */
interface MatchedOp {
  readonly op: OpSlice;
  readonly action: RecordAction;
  /** Index of its block in `wanted`. */
  readonly block: number;
  /** What is wrong with it. null: nothing was found so far. */
  readonly problem: Problem | null;
}

const NO_OPS: readonly MatchedOp[] = [];
/** The blocks of the commit that is extracted now. Extracting is synchronous, so there is one commit at a time. */
const wanted = new WantedBlocks();
/** A host names few collections many times, so their texts are kept. */
const collectionAt = createTextTable();

const TOO_BIG: Problem = {
  reason: "too-big",
  error: "the host left data out of this commit; its repository has to be fetched to have it",
};

/**
 * The DID has passed the filter already. If the host left data out of the commit, that becomes a dead entry of its own, because
 * nobody can say which collections are missing.
 */
export function extractCommit(frame: CommitFrame, timeMs: number, rules: ExtractRules, into: EventReceiver): Extract {
  if (!frame.isTooBig) return extractOps(frame, timeMs, rules, into);
  into.append(deadFrame(frame, timeMs, TOO_BIG));
  if (frame.ops.length === 0) return { received: 1, skippedDid: 0, skippedCollection: 0, events: 1, signed: null };
  const { received, events, ...rest } = extractOps(frame, timeMs, rules, into);
  return { ...rest, received: received + 1, events: events + 1 };
}

function extractOps(frame: CommitFrame, timeMs: number, rules: ExtractRules, into: EventReceiver): Extract {
  wanted.clear();
  const commitBlock = rules.verify === "structure" ? NO_BLOCK : wanted.add(frame.commit);
  const matched = matchOps(frame, rules);
  const received = frame.ops.length;
  const skippedCollection = received - matched.length;
  if (frame.fault !== null && (matched.length > 0 || received === 0)) {
    into.append(deadFrame(frame, timeMs, frame.fault));
    return { received: skippedCollection + 1, skippedDid: 0, skippedCollection, events: 1, signed: null };
  }
  const { verify } = rules;
  // An operation that was left out may be one that the filter lets through, so from `chain` on each commit is looked at.
  const follows = includesLevel(verify, "chain") && frame.fault === null;
  if (matched.length === 0 && !follows) {
    return { received, skippedDid: 0, skippedCollection, events: 0, signed: null };
  }

  const opened = openCommit(frame, timeMs, rules, commitBlock);
  const whole = isProblem(opened) ? opened : includesLevel(verify, "inversion") ? undone(frame, opened, rules) : null;
  let isAnyAlive = false;
  for (const match of matched) {
    const dead = toDead(frame, timeMs, match, match.problem ?? whole);
    if (dead === null) {
      appendOp(frame, timeMs, match, into);
      isAnyAlive = true;
    } else into.append(dead);
  }
  let added = 0;
  if (matched.length === 0 && whole?.reason === INVERSION_FAILED) {
    into.append(deadFrame(frame, timeMs, whole));
    added += 1;
  }
  const link = follows && opened !== null && !isProblem(opened) ? linkOf(frame, timeMs, opened.data) : null;
  if (link !== null) {
    into.append(link);
    added += 1;
  }
  const signed =
    includesLevel(verify, "signature") && isAnyAlive && opened !== null && !isProblem(opened)
      ? signedCommit(frame, startOf(commitBlock), endOf(commitBlock), opened)
      : null;
  return { received: received + added, skippedDid: 0, skippedCollection, events: matched.length + added, signed };
}

function matchOps(frame: CommitFrame, rules: ExtractRules): readonly MatchedOp[] {
  const { bytes, ops } = frame;
  const [first] = ops;
  // Most commits have one operation, and V8 gives an empty array seventeen places at the first push.
  if (first !== undefined && ops.length === 1) {
    const match = matchOp(bytes, first, rules);
    return match === null ? NO_OPS : [match];
  }
  const matched: MatchedOp[] = [];
  for (const op of ops) {
    const match = matchOp(bytes, op, rules);
    if (match !== null) matched.push(match);
  }
  return matched;
}

/** null: the operation does not pass the filter. */
function matchOp(bytes: Buffer, op: OpSlice, { filter }: ExtractRules): MatchedOp | null {
  const { pathStart, slash, pathEnd, action } = op;
  if (pathStart === -1) return badOp(op, "bad-op", "an operation without a path");
  if (slash === -1) return badOp(op, "bad-path", "a path without a slash");
  if (filter.hasCollections && !filter.passesCollection(collectionAt(bytes, pathStart, slash))) return null;
  if (!isNsid(bytes, pathStart, slash) || !isRecordKey(bytes, slash + 1, pathEnd)) {
    return badOp(op, "bad-path", "a path that is not collection/rkey");
  }
  switch (action) {
    case "delete":
      return { op, action, block: NO_BLOCK, problem: null };
    case "create":
    case "update":
      if (op.cid === -1) return badOp(op, "missing-cid", `a ${action} without a CID`);
      return { op, action, block: wanted.add(op.cid), problem: null };
    case null:
    default:
      return badOp(op, "unknown-action", "an action other than create, update and delete");
  }
}

function badOp(op: OpSlice, reason: string, error: string): MatchedOp {
  return { op, action: "delete", block: NO_BLOCK, problem: { reason, error } };
}

/** Finds the wanted blocks. Returns where the signature stands, or what is wrong with the whole commit. null: nothing had to be checked. */
function openCommit(
  frame: CommitFrame,
  timeMs: number,
  rules: ExtractRules,
  commitBlock: number,
): CheckedCommit | Problem | null {
  const { bytes, commit, blocksStart, blocksEnd, revStart } = frame;
  if (rules.isAhead(tidTimeMs(bytes, revStart) - MAX_REV_AHEAD_MS, timeMs)) {
    return { reason: "rev-in-future", error: `rev ${frame.rev} is more than 5 minutes ahead` };
  }
  if (wanted.length === 0) return null;
  const root = findBlocks(bytes, blocksStart, blocksEnd, wanted);
  if (typeof root === "string") return { reason: "bad-car", error: root };
  if (commitBlock === NO_BLOCK) return null;
  if (!cidEquals(bytes, bytes, root, commit)) {
    return { reason: "commit-mismatch", error: "the archive's root is not the event's commit" };
  }
  const start = startOf(commitBlock);
  if (start === -1) return { reason: "missing-commit", error: "the commit block is not in the archive" };
  return checkCommit(frame, commit, start, endOf(commitBlock));
}

/** null: its operations are all that it has changed. @throws TypeError if there is nothing to undo it with */
function undone(frame: CommitFrame, commit: CheckedCommit | null, { invertCommit }: ExtractRules): Problem | null {
  if (invertCommit === undefined) throw new TypeError("verify: inversion needs invertCommit");
  return commit === null ? null : whyNotInverted(frame, commit.data, invertCommit);
}

function startOf(block: number): number {
  return wanted.starts[block] ?? -1;
}

function endOf(block: number): number {
  return wanted.ends[block] ?? -1;
}

/** null: nothing is wrong with the operation. */
function toDead(frame: CommitFrame, timeMs: number, match: MatchedOp, problem: Problem | null): DeadEntry | null {
  if (problem !== null) return deadOp(frame, timeMs, match, problem);
  const { block } = match;
  if (block === NO_BLOCK) return null;
  const start = startOf(block);
  if (start === -1) {
    const missing = { reason: "missing-block", error: "the record's block is not in the archive" };
    return deadOp(frame, timeMs, match, missing);
  }
  const length = endOf(block) - start;
  if (length <= MAX_RECORD_BYTES) return null;
  const error = `a record of ${length} bytes; at most ${MAX_RECORD_BYTES}`;
  return deadOp(frame, timeMs, match, { reason: "record-too-large", error });
}

function deadOp(frame: CommitFrame, timeMs: number, { op, block }: MatchedOp, { reason, error }: Problem): DeadEntry {
  const { bytes, seq, did } = frame;
  const path = op.pathStart === -1 ? null : utf8Text(bytes, op.pathStart, op.pathEnd);
  const start = block === NO_BLOCK ? -1 : startOf(block);
  const payload = start === -1 ? bytes.subarray(op.start, op.end) : bytes.subarray(start, endOf(block));
  return deadEntry({ seq, timeMs, did, path, reason, error, payload });
}

function appendOp(frame: CommitFrame, timeMs: number, { op, action, block }: MatchedOp, into: EventReceiver): void {
  const { bytes, seq, didStart, didEnd, revStart, revEnd } = frame;
  const { pathStart, slash, pathEnd, cid } = op;
  const hasRecord = block !== NO_BLOCK;
  into.appendRecord({
    bytes,
    seq,
    timeMs,
    didStart,
    didEnd,
    revStart,
    revEnd,
    action,
    pathStart,
    slash,
    pathEnd,
    cid: hasRecord ? cid : -1,
    recordStart: hasRecord ? startOf(block) : -1,
    recordEnd: hasRecord ? endOf(block) : -1,
  });
}
