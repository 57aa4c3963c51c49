/**
 * Blocks in memory, by CID, in a few large buffers and numbers, so that the garbage collector has few objects to visit. A repository of
 * 100,000 records has 130,000 blocks.
 */
import { CID_LENGTH, cidEquals } from "@firehose-backfill/core/cid";

const FIRST_BYTES = 16_384;
const SEGMENT_BYTES = 1_048_576;
const DIGEST_AT = 4;
const FIRST_ENTRIES = 256;

export class BlockTable {
  /** CID and block of each entry, one after the other. */
  readonly #segments: Buffer[] = [];
  #free = 0;
  #allocated = 0;
  /** For each entry: its segment, where its CID starts in it, where its block ends. */
  #places = new Uint32Array(3 * FIRST_ENTRIES);
  /** Index of an entry plus 1; 0: free. The length is a power of two, and at most half of it is used. */
  #slots = new Uint32Array(2 * FIRST_ENTRIES);
  #count = 0;
  #bytes = 0;

  get size(): number {
    return this.#count;
  }

  /** Size of all blocks, without their CIDs. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Copies the block that ends at `end` and begins after its CID. If the table has the block, nothing happens. */
  put(bytes: Uint8Array, cid: number, end: number): void {
    const slot = this.#slotOf(bytes, cid);
    if (this.#slots[slot] !== 0) return;
    const length = end - cid;
    const segment = this.#roomFor(length);
    segment.set(bytes.subarray(cid, end), this.#free);
    const place = 3 * this.#count;
    if (place === this.#places.length) this.#grow();
    this.#places[place] = this.#segments.length - 1;
    this.#places[place + 1] = this.#free;
    this.#places[place + 2] = this.#free + length;
    this.#free += length;
    this.#bytes += length - CID_LENGTH;
    this.#count += 1;
    this.#slots[this.#slotOf(bytes, cid)] = this.#count;
  }

  /** A view of the block; null: the table does not have it. */
  get(cid: Uint8Array): Buffer | null {
    const entry = this.#slots[this.#slotOf(cid, 0)] ?? 0;
    if (entry === 0) return null;
    const place = 3 * (entry - 1);
    const segment = this.#segments[this.#places[place] ?? 0];
    return segment?.subarray((this.#places[place + 1] ?? 0) + CID_LENGTH, this.#places[place + 2]) ?? null;
  }

  /** The slot of the CID, or the free slot where it would go. */
  #slotOf(bytes: Uint8Array, cid: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(bytes, cid) & mask;
    for (;;) {
      const entry = this.#slots[slot] ?? 0;
      if (entry === 0) return slot;
      const place = 3 * (entry - 1);
      const segment = this.#segments[this.#places[place] ?? 0];
      if (segment !== undefined && cidEquals(segment, bytes, this.#places[place + 1], cid)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #roomFor(length: number): Buffer {
    const last = this.#segments.at(-1);
    if (last !== undefined && this.#free + length <= last.length) return last;
    // As much again as there is: most tables hold the blocks of one answer and are garbage soon.
    const segment = Buffer.allocUnsafeSlow(
      Math.max(length, Math.min(SEGMENT_BYTES, Math.max(FIRST_BYTES, this.#allocated))),
    );
    this.#allocated += segment.length;
    this.#segments.push(segment);
    this.#free = 0;
    return segment;
  }

  #grow(): void {
    const places = new Uint32Array(2 * this.#places.length);
    places.set(this.#places);
    this.#places = places;
    const slots = new Uint32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (const entry of this.#slots) {
      if (entry === 0) continue;
      const place = 3 * (entry - 1);
      const segment = this.#segments[places[place] ?? 0];
      let slot = segment === undefined ? 0 : hashOf(segment, places[place + 1] ?? 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry;
    }
    this.#slots = slots;
  }
}

/** The digest is already a hash, so some of its bytes serve as the table's hash. */
function hashOf(bytes: Uint8Array, cid: number): number {
  const at = cid + DIGEST_AT;
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}
