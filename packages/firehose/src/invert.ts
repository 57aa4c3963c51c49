/**
 * Undoes the operations of a commit (BACKFILL_VERIFY=inversion): what comes out must be the root of the tree before the commit. Then the
 * operations are all that the commit has changed. The function that does it knows trees, belongs to another package, and is given.
 */
import { CborCursor, MAJOR } from "@firehose-backfill/core/cbor/cursor";
import { FIRST_KEY, keyTable } from "@firehose-backfill/core/cbor/key-table";
import { CborError } from "@firehose-backfill/core/cbor/refusal";
import { utf8Text } from "@firehose-backfill/core/cbor/text";
import { CID_LENGTH, cidEquals, cidOf, digestMatches } from "@firehose-backfill/core/cid";
import { INVERSION_FAILED } from "@firehose-backfill/core/dead-entry";
import { eachBlock } from "./car.ts";
import type { Problem } from "./commit.ts";
import type { CommitFrame, OpSlice } from "./frame-types.ts";
import { prevDataOf, sinceOf } from "./link.ts";
import type { InvertCommit, InvertedOperation } from "./types.ts";

/** The root of a tree without records: the commit before the first one. */
const EMPTY_TREE = cidOf(Buffer.from("a2616580616cf6", "hex"));

const KEY = { prev: 0 } as const;
const KEYS = keyTable(KEY);

/**
 * null: the operations are all that the commit has changed.
 * @param data where the 36 bytes of the CID of its root start
 */
export function whyNotInverted(frame: CommitFrame, data: number, invert: InvertCommit): Problem | null {
  const { bytes } = frame;
  try {
    const prevData = prevDataOf(frame);
    if (prevData === null && sinceOf(frame) !== null) {
      return failed("the commit does not name the root of the tree before it (prevData)");
    }
    const operations: InvertedOperation[] = [];
    for (const op of frame.ops) {
      const operation = operationOf(bytes, op);
      if (operation === null) return failed("an operation that cannot be undone");
      operations.push(operation);
    }
    const inversion = invert({ data: cidAt(bytes, data), blockOf: blocksOf(frame) }, operations);
    if (inversion.kind === "refused") return failed(`${inversion.problem}: ${inversion.detail}`);
    if (cidEquals(inversion.prevData, prevData ?? EMPTY_TREE)) return null;
    return failed(
      "its operations, undone, do not give the tree before it: not all of them were sent, or not the right ones",
    );
  } catch (error) {
    if (error instanceof CborError) return failed(`a field cannot be read: ${error.reason}`);
    throw error;
  }
}

function operationOf(bytes: Buffer, op: OpSlice): InvertedOperation | null {
  const { action, pathStart, pathEnd, cid } = op;
  if (pathStart === -1 || (action !== "create" && action !== "update" && action !== "delete")) return null;
  return {
    action,
    key: utf8Text(bytes, pathStart, pathEnd),
    cid: cid === -1 ? null : cidAt(bytes, cid),
    prev: action === "create" ? null : prevOf(bytes, op),
  };
}

/** `prev` is read here and not with the frame, because no other level needs it. @throws CborError */
function prevOf(bytes: Buffer, op: OpSlice): Uint8Array | null {
  const cursor = new CborCursor(bytes, op.start, op.end);
  let key = FIRST_KEY;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    key = cursor.key(KEYS, key);
    if (key !== KEY.prev) cursor.skip();
    else return cursor.takeNull() ? null : cidAt(bytes, cursor.cid());
  }
  return null;
}

/** Each block is compared with its CID when it is asked for. */
function blocksOf({ bytes, blocksStart, blocksEnd }: CommitFrame): (cid: Uint8Array) => Buffer | null {
  const places = new Map<string, { readonly cid: number; readonly end: number }>();
  eachBlock(bytes, blocksStart, blocksEnd, (cid, end) => {
    places.set(bytes.toString("latin1", cid, cid + CID_LENGTH), { cid, end });
  });
  return (wanted) => {
    const place = places.get(Buffer.from(wanted.buffer, wanted.byteOffset, wanted.byteLength).toString("latin1"));
    if (place === undefined) return null;
    const block = bytes.subarray(place.cid + CID_LENGTH, place.end);
    return digestMatches(bytes, place.cid, block) ? block : null;
  };
}

function cidAt(bytes: Buffer, at: number): Uint8Array {
  return bytes.subarray(at, at + CID_LENGTH);
}

function failed(error: string): Problem {
  return { reason: INVERSION_FAILED, error };
}
