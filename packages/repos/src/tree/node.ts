/**
 * Parses one node of a repository's tree (MST) strictly: DAG-CBOR with exactly its fields, keys that ascend, the longest possible
 * shared prefix, all keys on one layer. `walk/frontier.ts` checks that the node may be at its position.
 */
import { CborCursor, MAJOR } from "@firehose-backfill/core/cbor/cursor";
import { CborError } from "@firehose-backfill/core/cbor/refusal";
import { asciiText } from "@firehose-backfill/core/cbor/text";
import { CID_LENGTH } from "@firehose-backfill/core/cid";
import { BadRepoError } from "../errors.ts";
import { keyLayer } from "./key-layer.ts";
import { MAX_PATH_LENGTH, scanPathPart } from "./record-path.ts";

export interface TreeEntry {
  /** `collection/rkey`. */
  readonly key: string;
  /** CID of the record. */
  readonly value: Uint8Array;
  /** CID of the node whose keys come after this key and before the next entry's. null: there are none. */
  readonly tree: Uint8Array | null;
}

export interface TreeNode {
  /** CID of the node whose keys come before all entries. */
  readonly left: Uint8Array | null;
  readonly entries: readonly TreeEntry[];
  /** The layer of its keys; null: it has none. */
  readonly layer: number | null;
}

/** Four entries are usual. Anybody may choose keys that are all on one layer: up to this many, we accept the node. */
const MAX_ENTRIES = 16_384;
export const MAX_NODE_BYTES = 2_097_152;

// The head of a map and its keys, as encoded: `{e: [{k, p, t, v}], l}`.
const NODE_E = Buffer.from("a26165", "hex");
const NODE_L = Buffer.from("616c", "hex");
const ENTRY_K = Buffer.from("a4616b", "hex");
const ENTRY_P = Buffer.from("6170", "hex");
const ENTRY_T = Buffer.from("6174", "hex");
const ENTRY_V = Buffer.from("6176", "hex");

/** The CIDs are views of `bytes`. @throws BadRepoError */
export function decodeNode(bytes: Buffer): TreeNode {
  if (bytes.length > MAX_NODE_BYTES) throw bad(`it is ${bytes.length} bytes long; at most ${MAX_NODE_BYTES}`);
  try {
    return readNode(new CborCursor(bytes, 0, bytes.length));
  } catch (error) {
    if (error instanceof CborError) throw bad(`it is not strict DAG-CBOR: ${error.reason}`);
    throw error;
  }
}

function readNode(cursor: CborCursor): TreeNode {
  expect(cursor, NODE_E);
  const count = cursor.count(MAJOR.array);
  if (count > MAX_ENTRIES) throw bad(`it has ${count} entries; at most ${MAX_ENTRIES}`);
  const entries: TreeEntry[] = [];
  const key = { text: "", slash: -1 };
  let layer: number | null = null;
  for (let index = 0; index < count; index++) {
    expect(cursor, ENTRY_K);
    const suffix = cursor.range(MAJOR.bytes);
    const suffixEnd = cursor.pos;
    expect(cursor, ENTRY_P);
    nextKey(cursor.bytes, suffix, suffixEnd, cursor.uint(), key);
    expect(cursor, ENTRY_T);
    const tree = readLink(cursor);
    expect(cursor, ENTRY_V);
    const value = cidAt(cursor, cursor.cid());
    const ownLayer = keyLayer(key.text);
    layer ??= ownLayer;
    if (ownLayer !== layer) throw bad(`its keys stand on the layers ${layer} and ${ownLayer}`);
    entries.push({ key: key.text, value, tree });
  }
  expect(cursor, NODE_L);
  const left = readLink(cursor);
  if (cursor.pos !== cursor.end) throw bad("it holds more than a node");
  return { left, entries, layer };
}

/** Builds the next key from the previous one: its first `shared` characters, then the bytes between two offsets. */
function nextKey(
  bytes: Buffer,
  start: number,
  end: number,
  shared: number,
  key: { text: string; slash: number },
): void {
  const previous = key.text;
  if (shared > previous.length) throw bad("a key shares more with the previous one than that has");
  const length = shared + end - start;
  if (length > MAX_PATH_LENGTH) throw bad(`a key is ${length} bytes long; at most ${MAX_PATH_LENGTH}`);
  if (start === end) throw bad("a key adds nothing to the previous one");
  if (shared < previous.length) {
    // The first byte after the shared part must differ: it shows the order, and that the shared part could not be longer.
    const difference = (bytes[start] ?? 0) - previous.charCodeAt(shared);
    if (difference === 0) throw bad("a key shares more with the previous one than it says");
    if (difference < 0) throw bad("its keys do not ascend");
  }
  const slash = scanPathPart(bytes, start, end, shared, key.slash < shared ? key.slash : -1);
  if (slash < 1 || slash === length - 1) throw bad("a key is not collection/rkey");
  key.text = previous.slice(0, shared) + asciiText(bytes, start, end);
  key.slash = slash;
}

function readLink(cursor: CborCursor): Uint8Array | null {
  return cursor.takeNull() ? null : cidAt(cursor, cursor.cid());
}

function cidAt(cursor: CborCursor, at: number): Uint8Array {
  return cursor.bytes.subarray(at, at + CID_LENGTH);
}

function expect(cursor: CborCursor, bytes: Uint8Array): void {
  if (!cursor.take(bytes)) throw bad("its fields are not those of a node");
}

function bad(what: string): BadRepoError {
  return new BadRepoError("bad-node", `a node of the tree is not sound: ${what}`);
}
