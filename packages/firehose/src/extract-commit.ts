/** The operations of one #commit, through the filter, each to an event of its own. */
import type { FirehoseEvent, RecordAction } from "@firehose-backfill/core/event";
import { MAX_RECORD_BYTES } from "@firehose-backfill/core/cbor/decode-record";
import { asciiText, utf8Text } from "@firehose-backfill/core/cbor/text";
import { createTextTable } from "@firehose-backfill/core/cbor/text-table";
import { CID_LENGTH, cidEquals } from "@firehose-backfill/core/cid";
import { findBlocks, type WantedBlock } from "./car.ts";
import { checkCommit, type CommitBlock, isCommitProblem } from "./commit.ts";
import { copyHead, copyPair } from "./kept-bytes.ts";
import { deadFrame, type Extract, type ExtractRules, signedCommit } from "./extract-parts.ts";
import type { CommitFrame, OpSlice } from "./frame-types.ts";
import { isNsid, isRecordKey, tidTimeMs } from "./syntax.ts";

/** How far ahead of now a revision may be; later ones would win against everything that comes after them. */
const MAX_REV_AHEAD_MS = 300_000;

interface Problem {
  readonly reason: string;
  readonly error: string;
}

/** An operation that passed the filter, or that no filter can be asked about; and the block that it needs. */
interface MatchedOp extends WantedBlock {
  readonly op: OpSlice;
  readonly collection: string;
  readonly rkey: string;
  readonly action: RecordAction;
  /** null: none so far. */
  readonly problem: Problem | null;
}

/** The commit's own block, and what was read from it. */
interface OpenedCommit {
  readonly block: WantedBlock;
  /** Checked, from `verify: hash` on. */
  readonly commit: CommitBlock | null;
}

const NO_EVENTS: readonly FirehoseEvent[] = [];
const NO_OPS: readonly MatchedOp[] = [];
/** The commit's block was not asked for. */
const NOTHING_OPENED: OpenedCommit = { block: { cid: -1, start: -1, end: -1 }, commit: null };

/** A host names few collections, over and over. */
const collectionAt = createTextTable();

/** The DID has passed the filter already. */
export function extractCommit(bytes: Buffer, frame: CommitFrame, timeMs: number, rules: ExtractRules): Extract {
  const matched = matchOps(bytes, frame, rules);
  const received = frame.ops.length;
  const skippedCollection = received - matched.length;
  if (frame.fault !== null && (matched.length > 0 || received === 0)) {
    const events = [deadFrame(bytes, frame, timeMs, frame.fault)];
    return { received: skippedCollection + 1, skippedDid: 0, skippedCollection, events, signed: null };
  }
  if (matched.length === 0) return { received, skippedDid: 0, skippedCollection, events: NO_EVENTS, signed: null };

  const opened = openBlocks(bytes, frame, timeMs, matched, rules);
  const whole = "reason" in opened ? opened : null;
  const [first] = matched;
  // Most commits have one operation: no closure for it.
  const events =
    first !== undefined && matched.length === 1
      ? [toEvent(bytes, frame, timeMs, first, first.problem ?? whole)]
      : matched.map((match) => toEvent(bytes, frame, timeMs, match, match.problem ?? whole));
  return { received, skippedDid: 0, skippedCollection, events, signed: toSigned(bytes, opened, rules, events) };
}

function matchOps(bytes: Buffer, frame: CommitFrame, rules: ExtractRules): readonly MatchedOp[] {
  const { ops } = frame;
  const [first] = ops;
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

/** null: the filter skips it. */
function matchOp(bytes: Buffer, op: OpSlice, rules: ExtractRules): MatchedOp | null {
  const { pathStart, slash, pathEnd } = op;
  if (pathStart === -1) return badOp(op, "bad-op", "an operation without a path");
  if (slash === -1) return badOp(op, "bad-path", "a path without a slash");
  const collection = collectionAt(bytes, pathStart, slash);
  if (!rules.filter.passesCollection(collection)) return null;
  if (!isNsid(bytes, pathStart, slash) || !isRecordKey(bytes, slash + 1, pathEnd)) {
    return badOp(op, "bad-path", "a path that is not collection/rkey");
  }
  const rkey = asciiText(bytes, slash + 1, pathEnd);
  const action = op.action ?? "";
  switch (action) {
    case "delete":
      return { op, collection, rkey, action, problem: null, cid: -1, start: -1, end: -1 };
    case "create":
    case "update":
      if (op.cid === -1) return badOp(op, "missing-cid", `a ${action} without a CID`);
      return { op, collection, rkey, action, problem: null, cid: op.cid, start: -1, end: -1 };
    default:
      return badOp(op, "unknown-action", "an action other than create, update and delete");
  }
}

function badOp(op: OpSlice, reason: string, error: string): MatchedOp {
  const problem = { reason, error };
  return { op, collection: "", rkey: "", action: "delete", problem, cid: -1, start: -1, end: -1 };
}

/** Finds the blocks that the operations need; or says what is wrong with the commit as a whole. */
function openBlocks(
  bytes: Buffer,
  frame: CommitFrame,
  timeMs: number,
  matched: readonly MatchedOp[],
  rules: ExtractRules,
): OpenedCommit | Problem {
  if (tidTimeMs(frame.rev) > rules.latestMs(timeMs) + MAX_REV_AHEAD_MS) {
    return { reason: "rev-in-future", error: `rev ${frame.rev} is more than 5 minutes ahead` };
  }
  if (rules.verify === "structure") {
    if (matched.every(({ cid }) => cid === -1)) return NOTHING_OPENED;
    const root = findBlocks(bytes, frame.blocksStart, frame.blocksEnd, matched);
    return typeof root === "string" ? { reason: "bad-car", error: root } : NOTHING_OPENED;
  }

  const block: WantedBlock = { cid: frame.commit, start: -1, end: -1 };
  const root = findBlocks(bytes, frame.blocksStart, frame.blocksEnd, [block, ...matched]);
  if (typeof root === "string") return { reason: "bad-car", error: root };
  if (!cidEquals(bytes, bytes, root, frame.commit)) {
    return { reason: "commit-mismatch", error: "the archive's root is not the event's commit" };
  }
  if (block.start === -1) return { reason: "missing-commit", error: "the commit block is not in the archive" };
  const commit = checkCommit(bytes, block.start, block.end, { did: frame.did, rev: frame.rev, cid: frame.commit });
  return isCommitProblem(commit) ? commit : { block, commit };
}

function toEvent(
  bytes: Buffer,
  frame: CommitFrame,
  timeMs: number,
  match: MatchedOp,
  problem: Problem | null,
): FirehoseEvent {
  if (problem !== null) return deadOp(bytes, frame, timeMs, match, problem);
  const { start, end, collection, rkey, action } = match;
  const { seq, did, rev } = frame;
  if (action === "delete") {
    return { kind: "record", seq, timeMs, did, action, collection, rkey, rev, cid: null, record: null };
  }
  if (start === -1) {
    const missing = { reason: "missing-block", error: "the record's block is not in the archive" };
    return deadOp(bytes, frame, timeMs, match, missing);
  }
  if (end - start > MAX_RECORD_BYTES) {
    const error = `a record of ${end - start} bytes; at most ${MAX_RECORD_BYTES}`;
    return deadOp(bytes, frame, timeMs, match, { reason: "record-too-large", error });
  }
  // In the archive the CID stands before its block.
  const [cid, record] = copyPair(bytes, start - CID_LENGTH, start, end);
  return { kind: "record", seq, timeMs, did, action, collection, rkey, rev, cid, record };
}

function deadOp(
  bytes: Buffer,
  frame: CommitFrame,
  timeMs: number,
  match: MatchedOp,
  { reason, error }: Problem,
): FirehoseEvent {
  const { op, start, end } = match;
  const path = op.pathStart === -1 ? null : utf8Text(bytes, op.pathStart, op.pathEnd);
  const payload = start === -1 ? copyHead(bytes, op.start, op.end) : copyHead(bytes, start, end);
  return { kind: "dead", seq: frame.seq, timeMs, did: frame.did, path, reason, error, payload };
}

/** null: nothing depends on the signature, or nobody asked for it. */
function toSigned(
  bytes: Buffer,
  opened: OpenedCommit | Problem,
  rules: ExtractRules,
  events: readonly FirehoseEvent[],
): Extract["signed"] {
  if (rules.verify !== "signature" || "reason" in opened || opened.commit === null) return null;
  if (events.every((event) => event.kind === "dead")) return null;
  return signedCommit(bytes, opened.block.start, opened.block.end, opened.commit);
}
