/** The operations of one #commit, through the filter, each to an event of its own. */
import type { DeadEntry, FirehoseEvent, RecordAction } from "@firehose-backfill/core/event";
import { MAX_RECORD_BYTES } from "@firehose-backfill/core/cbor/decode-record";
import { CID_LENGTH, cidEquals } from "@firehose-backfill/core/cid";
import { type CarBlocks, findBlocks } from "./car.ts";
import { checkCommit, type CommitBlock, isCommitProblem } from "./commit.ts";
import { copyBytes, copyHead } from "./kept-bytes.ts";
import { deadFrame, type Extract, type ExtractRules, signedCommit } from "./extract-parts.ts";
import type { CommitFrame, OpSlice } from "./frame-types.ts";
import { isNsid, isRecordKey, tidTimeMs } from "./syntax.ts";

/** How far ahead of now a revision may be; later ones would win against everything that comes after them. */
const MAX_REV_AHEAD_MS = 300_000;

interface Problem {
  readonly reason: string;
  readonly error: string;
}

/** An operation that passed the filter, or that no filter can be asked about. */
interface MatchedOp {
  readonly op: OpSlice;
  readonly collection: string;
  readonly rkey: string;
  /** null: `problem` says why. */
  readonly action: RecordAction | null;
  readonly problem: Problem | null;
  /** Index among the wanted blocks; -1: it needs none. */
  readonly block: number;
}

/** The DID has passed the filter already. */
export function extractCommit(bytes: Buffer, frame: CommitFrame, timeMs: number, rules: ExtractRules): Extract {
  // The commit's own block is wanted first; then one block an operation that writes.
  const wanted = [frame.commit];
  const matched: MatchedOp[] = [];
  for (const op of frame.ops) {
    const match = matchOp(op, frame.did, rules, wanted.length);
    if (match === null) continue;
    matched.push(match);
    if (match.block !== -1) wanted.push(op.cid);
  }
  const skippedCollection = frame.ops.length - matched.length;
  if (frame.fault !== null && (matched.length > 0 || frame.ops.length === 0)) {
    const events = [deadFrame(bytes, frame, timeMs, frame.fault)];
    return { received: skippedCollection + 1, skippedDid: 0, skippedCollection, events, signed: null };
  }
  const received = frame.ops.length;
  if (matched.length === 0) return { received, skippedDid: 0, skippedCollection, events: [], signed: null };

  const opened = openBlocks(bytes, frame, timeMs, wanted, rules);
  const blocks = "reason" in opened ? null : opened.blocks;
  const whole = "reason" in opened ? opened : null;
  const events = matched.map((match) => toEvent(bytes, frame, timeMs, match, blocks, whole));
  return { received, skippedDid: 0, skippedCollection, events, signed: toSigned(bytes, opened, rules, events) };
}

/** null: the filter skips it. */
function matchOp(op: OpSlice, did: string, rules: ExtractRules, block: number): MatchedOp | null {
  const { path } = op;
  const bad = (reason: string, error: string, collection = "", rkey = ""): MatchedOp => ({
    op,
    collection,
    rkey,
    action: null,
    problem: { reason, error },
    block: -1,
  });
  if (path === null) return bad("bad-op", "an operation without a path");
  const slash = path.indexOf("/");
  if (slash === -1) return bad("bad-path", "a path without a slash");
  const collection = path.slice(0, slash);
  const rkey = path.slice(slash + 1);
  if (rules.filter.record(did, collection) !== null) return null;
  if (!isNsid(collection) || !isRecordKey(rkey)) {
    return bad("bad-path", "a path that is not collection/rkey", collection, rkey);
  }
  const action = op.action ?? "";
  switch (action) {
    case "delete":
      return { op, collection, rkey, action: "delete", problem: null, block: -1 };
    case "create":
    case "update":
      if (op.cid === -1) return bad("missing-cid", `a ${action} without a CID`, collection, rkey);
      return { op, collection, rkey, action, problem: null, block };
    default:
      return bad("unknown-action", "an action other than create, update and delete", collection, rkey);
  }
}

interface OpenedBlocks {
  readonly blocks: CarBlocks | null;
  /** Checked, from `verify: hash` on. */
  readonly commit: CommitBlock | null;
  readonly commitStart: number;
  readonly commitEnd: number;
}

/** The blocks the operations need; or what is wrong with the commit as a whole. */
function openBlocks(
  bytes: Buffer,
  frame: CommitFrame,
  timeMs: number,
  wanted: readonly number[],
  rules: ExtractRules,
): OpenedBlocks | Problem {
  if (tidTimeMs(frame.rev) > rules.latestMs(timeMs) + MAX_REV_AHEAD_MS) {
    return { reason: "rev-in-future", error: `rev ${frame.rev} is more than 5 minutes ahead` };
  }
  const isStructureOnly = rules.verify === "structure";
  if (isStructureOnly && wanted.length === 1) return { blocks: null, commit: null, commitStart: -1, commitEnd: -1 };
  const blocks = findBlocks(bytes, frame.blocksStart, frame.blocksEnd, wanted);
  if (typeof blocks === "string") return { reason: "bad-car", error: blocks };
  const commitStart = blocks.starts[0] ?? -1;
  const commitEnd = blocks.ends[0] ?? -1;
  if (isStructureOnly) return { blocks, commit: null, commitStart, commitEnd };

  if (!cidEquals(bytes, bytes, blocks.root, frame.commit)) {
    return { reason: "commit-mismatch", error: "the archive's root is not the event's commit" };
  }
  if (commitStart === -1) return { reason: "missing-commit", error: "the commit block is not in the archive" };
  const commit = checkCommit(bytes, commitStart, commitEnd, { did: frame.did, rev: frame.rev, cid: frame.commit });
  return isCommitProblem(commit) ? commit : { blocks, commit, commitStart, commitEnd };
}

function toEvent(
  bytes: Buffer,
  frame: CommitFrame,
  timeMs: number,
  match: MatchedOp,
  blocks: CarBlocks | null,
  whole: Problem | null,
): FirehoseEvent {
  const { op, action } = match;
  const { seq, did, rev } = frame;
  const start = blocks?.starts[match.block] ?? -1;
  const end = blocks?.ends[match.block] ?? -1;
  const dead = (problem: Problem): DeadEntry => ({
    kind: "dead",
    seq,
    timeMs,
    did,
    path: op.path,
    reason: problem.reason,
    error: problem.error,
    payload: start === -1 ? copyHead(bytes, op.start, op.end) : copyHead(bytes, start, end),
  });
  if (match.problem !== null) return dead(match.problem);
  if (whole !== null) return dead(whole);
  const { collection, rkey } = match;
  if (action === null || action === "delete") {
    return { kind: "record", seq, timeMs, did, action: "delete", collection, rkey, rev, cid: null, record: null };
  }
  if (start === -1) return dead({ reason: "missing-block", error: "the record's block is not in the archive" });
  if (end - start > MAX_RECORD_BYTES) {
    return dead({ reason: "record-too-large", error: `a record of ${end - start} bytes; at most ${MAX_RECORD_BYTES}` });
  }
  const cid = copyBytes(bytes, op.cid, op.cid + CID_LENGTH);
  return { kind: "record", seq, timeMs, did, action, collection, rkey, rev, cid, record: copyBytes(bytes, start, end) };
}

/** null: nothing depends on the signature, or nobody asked for it. */
function toSigned(
  bytes: Buffer,
  opened: OpenedBlocks | Problem,
  rules: ExtractRules,
  events: readonly FirehoseEvent[],
): Extract["signed"] {
  if ("reason" in opened || opened.commit === null || rules.verify !== "signature") return null;
  if (events.every((event) => event.kind === "dead")) return null;
  return signedCommit(bytes, opened.commitStart, opened.commitEnd, opened.commit);
}
