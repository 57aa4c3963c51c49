/**
 * Builds the tree (MST) of a sorted list of keys from left to right. It keeps only the open nodes of one path, so its memory
 * depends on the tree's depth and not on the number of keys. The root's CID proves all keys.
 */
import { CODEC_DAG_CBOR, CID_LENGTH, cidOf } from "@firehose-backfill/core/cid";
import { writeHead } from "@firehose-backfill/core/cbor/head";
import { commonPrefix } from "./common-prefix.ts";
import { keyLayer } from "./key-layer.ts";

export interface TreeBuilderOptions {
  /** Called with each complete node, children first. The bytes are valid during the call only. */
  readonly onNode?: (cid: Uint8Array, bytes: Buffer) => void;
}

export interface TreeBuilder {
  /** Keys must come in ascending order, each once. @throws TypeError: a bug of the caller */
  add(key: string, cid: Uint8Array): void;
  /**
   * Puts a subtree whose keys are not known between the key before it and the key after it. Its root is on `layer`.
   * @throws UnjoinedSubtreesError where it would have to be joined with what stands beside it
   */
  addSubtree(cid: Uint8Array, layer: number): void;
  /** Returns the root's CID; a tree without keys has one, too. The builder is empty afterwards. */
  finish(): Uint8Array;
  /**
   * Returns the CID of these keys as a subtree whose root is on `layer`. null: there are no keys, or one of them belongs to a higher
   * layer, so that no such subtree can hold them. The builder is empty afterwards.
   */
  finishBelow(layer: number): Uint8Array | null;
}

/** Two parts of a tree have no key between them, so they are one subtree, and one of the parts is not known well enough to say which. */
export class UnjoinedSubtreesError extends Error {
  override readonly name = "UnjoinedSubtreesError";

  isRetryable(): boolean {
    return false;
  }
}

/** The root of the tree of these entries, which must be in ascending order of their keys. */
export function treeRoot(entries: Iterable<readonly [key: string, cid: Uint8Array]>): Uint8Array {
  const builder = createTreeBuilder();
  for (const [key, cid] of entries) builder.add(key, cid);
  return builder.finish();
}

export function createTreeBuilder({ onNode }: TreeBuilderOptions = {}): TreeBuilder {
  /** By layer. A node's object is reused when that layer opens again. */
  const layers: OpenNode[] = [];
  let previous: string | null = null;

  const layerAt = (layer: number): OpenNode => {
    while (layers.length <= layer) layers.push(new OpenNode());
    return layers[layer] ?? new OpenNode();
  };
  const close = (node: OpenNode): Uint8Array => {
    const bytes = node.finish();
    const cid = cidOf(bytes, CODEC_DAG_CBOR);
    onNode?.(cid, bytes);
    node.clear();
    return cid;
  };
  /** Closes all open nodes below `layer` and attaches each to the one above it. */
  const closeBelow = (layer: number): Uint8Array | null => {
    let subtree: Uint8Array | null = null;
    for (let below = 0; below < layer; below++) {
      const node = layerAt(below);
      if (subtree !== null) node.attach(subtree);
      subtree = node.isOpen ? close(node) : null;
    }
    return subtree;
  };

  const topLayer = (): number => layers.findLastIndex((node) => node.isOpen);

  return {
    add(key, cid) {
      if (previous !== null && key <= previous) throw new TypeError(`keys must ascend: ${key} after ${previous}`);
      if (cid.length !== CID_LENGTH) throw new TypeError("a CID has 36 bytes");
      previous = key;
      const layer = keyLayer(key);
      const subtree = closeBelow(layer);
      const node = layerAt(layer);
      if (subtree !== null) node.attach(subtree);
      node.append(key, cid);
    },
    addSubtree(cid, layer) {
      if (layers.slice(0, layer + 1).some((node) => node.isOpen)) throw new UnjoinedSubtreesError(BESIDE);
      layerAt(layer + 1).attach(cid);
    },
    finish() {
      previous = null;
      const top = topLayer();
      if (top === -1) return close(layerAt(0));
      const subtree = closeBelow(top);
      const root = layerAt(top);
      // A subtree alone is the tree, or a part of it: whether its own root has keys is not known.
      if (!root.hasKeys) throw new UnjoinedSubtreesError("nothing is known of the tree but one subtree");
      if (subtree !== null) root.attach(subtree);
      return close(root);
    },
    finishBelow(layer) {
      previous = null;
      if (topLayer() <= layer) return closeBelow(layer + 1);
      for (const node of layers) node.clear();
      return null;
    },
  };
}

const BESIDE = "a subtree that is not known stands beside another one, without a key between them";
const NODE_E = Buffer.from("a26165", "hex");
const NODE_L = Buffer.from("616c", "hex");
const ENTRY_K = Buffer.from("a4616b", "hex");
const ENTRY_P = Buffer.from("6170", "hex");
const ENTRY_T = Buffer.from("6174", "hex");
const ENTRY_V = Buffer.from("6176", "hex");
const LINK = Buffer.from("d82a582500", "hex");
const NULL = 0xf6;
const BYTES = 2;
const ARRAY = 4;
const UINT = 0;
/** Space for the node's head before the entries: their number is known only at the end. */
const HEAD_ROOM = NODE_E.length + 5;
/** The most bytes that an entry takes besides its key and its two links. */
const ENTRY_OVERHEAD = 32;
const LINK_LENGTH = LINK.length + CID_LENGTH;
const FIRST_CAPACITY = 1_024;

/** A node that may still get entries. Its last entry is held back, because the subtree to its right is not known yet. */
class OpenNode {
  isOpen = false;
  #bytes = Buffer.allocUnsafe(FIRST_CAPACITY);
  #at = HEAD_ROOM;
  #count = 0;
  #left: Uint8Array | null = null;
  #lastKey = "";
  #shared = 0;
  #value: Uint8Array | null = null;
  #tree: Uint8Array | null = null;

  clear(): void {
    this.isOpen = false;
    this.#at = HEAD_ROOM;
    this.#count = 0;
    this.#left = null;
    this.#lastKey = "";
    this.#value = null;
    this.#tree = null;
  }

  get hasKeys(): boolean {
    return this.#count > 0;
  }

  /** Attaches a subtree to the right of the last entry, or to the left of all entries. @throws UnjoinedSubtreesError where there is one */
  attach(subtree: Uint8Array): void {
    this.isOpen = true;
    if ((this.#value === null ? this.#left : this.#tree) !== null) throw new UnjoinedSubtreesError(BESIDE);
    if (this.#value === null) this.#left = subtree;
    else this.#tree = subtree;
  }

  append(key: string, value: Uint8Array): void {
    this.isOpen = true;
    this.#writeLast();
    this.#shared = commonPrefix(this.#lastKey, key);
    this.#lastKey = key;
    this.#value = value;
    this.#tree = null;
    this.#count += 1;
  }

  /** The node's bytes, valid until the object is reused. */
  finish(): Buffer {
    this.#writeLast();
    this.#reserve(NODE_L.length + LINK_LENGTH);
    this.#write(NODE_L);
    this.#writeLink(this.#left);
    const head = Buffer.allocUnsafe(HEAD_ROOM);
    NODE_E.copy(head);
    const headLength = writeHead(head, NODE_E.length, ARRAY, this.#count);
    const start = HEAD_ROOM - headLength;
    head.copy(this.#bytes, start, 0, headLength);
    return this.#bytes.subarray(start, this.#at);
  }

  #writeLast(): void {
    if (this.#value === null) return;
    const suffixLength = this.#lastKey.length - this.#shared;
    this.#reserve(ENTRY_OVERHEAD + suffixLength + 2 * LINK_LENGTH);
    this.#write(ENTRY_K);
    this.#at = writeHead(this.#bytes, this.#at, BYTES, suffixLength);
    for (let index = this.#shared; index < this.#lastKey.length; index++) {
      const code = this.#lastKey.charCodeAt(index);
      if (code > 0x7f) throw new TypeError(`keys are ASCII: ${this.#lastKey}`);
      this.#bytes[this.#at++] = code;
    }
    this.#write(ENTRY_P);
    this.#at = writeHead(this.#bytes, this.#at, UINT, this.#shared);
    this.#write(ENTRY_T);
    this.#writeLink(this.#tree);
    this.#write(ENTRY_V);
    this.#writeLink(this.#value);
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#at + length, 2 * this.#bytes.length));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }

  #write(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #writeLink(cid: Uint8Array | null): void {
    if (cid === null) {
      this.#bytes[this.#at++] = NULL;
      return;
    }
    this.#write(LINK);
    this.#write(cid);
  }
}
