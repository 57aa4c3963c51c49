/**
 * Walks a repository at one signed commit, in key order, and yields proved ranges. It fetches only blocks that the wanted collections
 * need, many in a request, and holds one path of the tree. A walk can stop after any range and resume later with that range's `to`, on
 * the same commit or on a newer one.
 */
import { tidAt } from "@firehose-backfill/core/tid";
import { MissingBlocksError, ResponseTooLargeError } from "../errors.ts";
import type { BlockTable } from "./block-table.ts";
import { childrenOf, type Item, rootItem, type Wanted } from "./frontier.ts";
import { wantedIntervals } from "@firehose-backfill/core/key-interval";
import { intervalsAfter } from "./key-intervals.ts";
import type { ProvedRange } from "./proved-range.ts";
import { type CutRange, RangeCutter, type RangeLimits } from "./range-cutter.ts";

/**
 * Fetches the blocks of these CIDs, which are all different, in the same order; each is checked against its CID.
 * Rejects with MissingBlocksError, or with ResponseTooLargeError if the request has to name fewer.
 */
export type FetchBlocks = (cids: readonly Uint8Array[], signal: AbortSignal) => Promise<readonly Buffer[]>;

export interface WalkOptions {
  /** The caller has verified it. */
  readonly commit: { readonly did: string; readonly rev: string; readonly data: Uint8Array };
  /** `app.bsky.feed.post`, `app.bsky.feed.*`; an empty list: all. */
  readonly collections: readonly string[];
  /** The `to` of the last range that was taken; null: from the beginning. */
  readonly after: string | null;
  /** Records whose key is a TID from before this moment are skipped. null: none are skipped. */
  readonly sinceMs: number | null;
  readonly limits: RangeLimits;
  /** Blocks that are here already, from an archive or from the proof with which a walk begins. */
  readonly known?: BlockTable;
  readonly fetchBlocks: FetchBlocks;
  readonly signal: AbortSignal;
  /** CIDs in one request. A URL holds at most about 240. */
  readonly maxBatch?: number;
  /** Bytes of blocks that wait for the walk. Above it, the blocks that are needed last are dropped and fetched again later. */
  readonly maxHeldBytes?: number;
  /** How many records may still be taken before the walk is given up: blocks of later ones are not fetched. Left out: all of them. */
  readonly roomLeft?: () => number;
}

const MAX_BATCH = 200;
const MAX_HELD_BYTES = 33_554_432;
/** How many items the walk looks ahead for blocks to fetch. */
const MAX_LOOKAHEAD = 2_000;
/** Children of a node, on average: a key is on the next layer with the chance of one in four. */
const FAN_OUT = 4;

/** @throws BadRepoError, MissingBlocksError, and what fetchBlocks throws. After an abort it ends without a last range. */
export async function* walkRanges(options: WalkOptions): AsyncGenerator<ProvedRange, void, undefined> {
  const { commit, collections, after, sinceMs, limits, signal } = options;
  const intervals = intervalsAfter(wantedIntervals(collections), after);
  if (intervals.length === 0) return;
  const sinceTid = sinceMs === null ? null : tidAt(sinceMs);
  const cutter = new RangeCutter(intervals, limits);
  const ahead = new Ahead(options, { intervals, sinceTid });
  const proved = (range: CutRange, isLast: boolean): ProvedRange => {
    const { collection, from, to, records } = range;
    return { did: commit.did, rev: commit.rev, collection, from, to, sinceTid, records, isLast };
  };
  while (!signal.aborted) {
    const item = ahead.next();
    if (item === "fetch") await ahead.fetch();
    else if (item === null) {
      const rest = cutter.finish();
      for (const [index, range] of rest.entries()) yield proved(range, index === rest.length - 1);
      return;
    } else for (const range of cutter.add(item)) yield proved(range, false);
  }
}

/** The items that the walk has not visited yet, and the blocks that are here. */
class Ahead {
  readonly #wanted: Wanted;
  readonly #options: WalkOptions;
  readonly #maxBatch: number;
  readonly #maxHeldBytes: number;
  /** The next item is the last of the array. */
  readonly #stack: Item[];
  #batch: number;
  #heldBytes = 0;

  constructor(options: WalkOptions, wanted: Wanted) {
    this.#options = options;
    this.#wanted = wanted;
    this.#maxBatch = options.maxBatch ?? MAX_BATCH;
    this.#maxHeldBytes = options.maxHeldBytes ?? MAX_HELD_BYTES;
    this.#batch = this.#maxBatch;
    this.#stack = [rootItem(options.commit.data)];
  }

  /** The next record; null: there are no more; "fetch": blocks are needed first. */
  next(): { readonly key: string; readonly cid: Uint8Array; readonly bytes: Buffer } | "fetch" | null {
    for (;;) {
      const item = this.#stack.at(-1);
      if (item === undefined) return null;
      const bytes = this.#bytesOf(item);
      if (bytes === null) return "fetch";
      this.#stack.pop();
      if (item.kind === "record") {
        this.#release(item);
        return { key: item.key, cid: item.cid, bytes };
      }
      this.#expand(item, bytes);
    }
  }

  /** Fetches the blocks that are needed next. */
  async fetch(): Promise<void> {
    const items = this.#missing();
    const cids = new Map<string, Uint8Array>();
    for (const { cid } of items) cids.set(keyOf(cid), cid);
    try {
      const wanted = [...cids.values()];
      const blocks = await this.#options.fetchBlocks(wanted, this.#options.signal);
      const found = new Map([...cids.keys()].map((key, index) => [key, blocks[index]]));
      for (const item of items) {
        const block = found.get(keyOf(item.cid));
        if (block === undefined) throw new MissingBlocksError([item.cid]);
        item.bytes = block;
        this.#heldBytes += block.length;
      }
      this.#batch = Math.min(this.#maxBatch, 2 * this.#batch);
      this.#forgetLast();
    } catch (error) {
      if (!(error instanceof ResponseTooLargeError) || cids.size === 1) throw error;
      this.#batch = Math.ceil(Math.min(this.#batch, cids.size) / 2);
    }
  }

  #bytesOf(item: Item): Buffer | null {
    return item.bytes ?? this.#options.known?.get(item.cid) ?? null;
  }

  #expand(item: Item & { kind: "node" }, bytes: Buffer): void {
    this.#release(item);
    const children = childrenOf(item, bytes, this.#wanted);
    for (let index = children.length - 1; index >= 0; index--) {
      const child = children[index];
      if (child !== undefined) this.#stack.push(child);
    }
  }

  #release(item: Item): void {
    if (item.bytes !== null) this.#heldBytes -= item.bytes.length;
  }

  /** The next items without a block, as many as one request may name. Nodes in between whose block is here are replaced by their children. */
  #missing(): readonly Item[] {
    const passed: Item[] = [];
    const cids = new Set<string>();
    const missing: Item[] = [];
    // Where a moment is given, most records below a node may be skipped, so its layer says nothing.
    const room = this.#wanted.sinceTid === null ? (this.#options.roomLeft?.() ?? Infinity) : Infinity;
    let covered = 0;
    while (cids.size < this.#batch && passed.length < MAX_LOOKAHEAD && (covered < room || missing.length === 0)) {
      const item = this.#stack.pop();
      if (item === undefined) break;
      const bytes = this.#bytesOf(item);
      if (bytes !== null && item.kind === "node") {
        this.#expand(item, bytes);
        continue;
      }
      passed.push(item);
      covered += recordsBelow(item);
      if (bytes !== null) continue;
      missing.push(item);
      cids.add(keyOf(item.cid));
    }
    while (passed.length > 0) {
      const item = passed.pop();
      if (item !== undefined) this.#stack.push(item);
    }
    return missing;
  }

  /** If too many bytes are held, drops the blocks that are needed last. The blocks that are needed next always stay. */
  #forgetLast(): void {
    for (let index = 0; this.#heldBytes > this.#maxHeldBytes && index < this.#stack.length - 1; index++) {
      const item = this.#stack[index];
      if (item === undefined || item.bytes === null) continue;
      this.#release(item);
      item.bytes = null;
    }
  }
}

/** An estimate. */
function recordsBelow(item: Item): number {
  return item.kind === "record" ? 1 : FAN_OUT ** ((item.layer ?? 0) + 1) - 1;
}

function keyOf(cid: Uint8Array): string {
  return Buffer.from(cid.buffer, cid.byteOffset, cid.byteLength).toString("latin1");
}
