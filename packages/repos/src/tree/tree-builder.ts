/**
 * The tree (MST) of a sorted list of keys, built from left to right: what it keeps are the open nodes of one path, so that its
 * memory depends on the tree's depth and not on the number of keys. The root proves all of them.
 */
import { CODEC_DAG_CBOR, CID_LENGTH, cidOf } from "@firehose-backfill/core/cid";
import { writeHead } from "@firehose-backfill/core/cbor/head";
import { commonPrefix } from "./common-prefix.ts";
import { keyLayer } from "./key-layer.ts";

export interface TreeBuilderOptions {
  /** Each node when it is complete, children first. The bytes are valid during the call only. */
  readonly onNode?: (cid: Uint8Array, bytes: Buffer) => void;
}

export interface TreeBuilder {
  /** Keys come in ascending order, each once. @throws TypeError: the caller's defect */
  add(key: string, cid: Uint8Array): void;
  /** The root's CID; of no keys at all, too, there is one. The builder is empty afterwards. */
  finish(): Uint8Array;
  /**
   * The same keys as the subtree that hangs from a node above `layer`. null: there are no keys, or one of them stands higher, so that no
   * subtree there holds them. The builder is empty afterwards.
   */
  finishBelow(layer: number): Uint8Array | null;
}

/** The root of the tree of these entries, which come in ascending order of their keys. */
export function treeRoot(entries: Iterable<readonly [key: string, cid: Uint8Array]>): Uint8Array {
  const builder = createTreeBuilder();
  for (const [key, cid] of entries) builder.add(key, cid);
  return builder.finish();
}

export function createTreeBuilder({ onNode }: TreeBuilderOptions = {}): TreeBuilder {
  /** By layer. A node is reused when it is open again. */
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
  /** Closes what is open below `layer`, each node into the one above it. */
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
    finish() {
      previous = null;
      const top = topLayer();
      if (top === -1) return close(layerAt(0));
      const subtree = closeBelow(top);
      const root = layerAt(top);
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
/** The node's head, kept free before the entries: their number is known last. */
const HEAD_ROOM = NODE_E.length + 5;
/** Everything of an entry but its key and its two links, heads at their longest. */
const ENTRY_OVERHEAD = 32;
const LINK_LENGTH = LINK.length + CID_LENGTH;
const FIRST_CAPACITY = 1_024;

/** A node that may still get entries at its right end. The last entry is held back: what hangs right of it is not known yet. */
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

  /** Hangs a subtree right of the last entry, or left of all. */
  attach(subtree: Uint8Array): void {
    this.isOpen = true;
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

  /** The node's bytes, valid until it is used again. */
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
