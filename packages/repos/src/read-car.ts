/**
 * Reads a CARv1 archive as it arrives. Every block is checked against its CID before it is passed on, and every length is bounded. No block
 * is kept: a caller that needs one copies it. This does not check that all blocks of the repository are there: an archive that was
 * cut between two blocks looks complete, and the walk finds what is missing.
 */
import { NO_ROOT, readCarRoot } from "@firehose-backfill/core/car-header";
import { CID_LENGTH, cidEquals, digestMatches, isCid } from "@firehose-backfill/core/cid";
import { ArchiveTooLargeError, BadRepoError, TornArchiveError } from "./errors.ts";

export interface CarLimits {
  /** Bytes of the whole archive, framing included; more is an ArchiveTooLargeError. */
  readonly maxBytes: number;
  /** Bytes of one block. */
  readonly maxBlockBytes: number;
  /** `getBlocks` answers with archives that name no root. */
  readonly root: "required" | "optional";
}

export interface CarSummary {
  /** null: the header names none. */
  readonly root: Uint8Array | null;
  readonly blocks: number;
  readonly bytes: number;
}

/** Gets the bytes that hold the block, and the offsets of its CID, of the block and of its end. The bytes are valid during the call only. */
export type TakeBlock = (bytes: Buffer, cid: number, start: number, end: number) => void;

/** Far more than a header with one root needs. */
const MAX_HEADER_BYTES = 1_024;
/** Four bytes of seven bits: 256 MiB. */
const MAX_LENGTH_BYTES = 4;

/**
 * @throws BadRepoError, TornArchiveError, ArchiveTooLargeError, and whatever `chunks` throws
 */
export async function readCar(
  chunks: AsyncIterable<Uint8Array>,
  limits: CarLimits,
  take: TakeBlock,
): Promise<CarSummary> {
  const reader = new CarReader(limits, take);
  for await (const chunk of chunks) reader.push(chunk);
  return reader.end();
}

/** The state between two chunks: a length or a section that has arrived in part. */
class CarReader {
  readonly #limits: CarLimits;
  readonly #take: TakeBlock;
  /** Holds a section that spans several chunks. It is reused for the next one. */
  #partial = Buffer.alloc(0);
  #partialLength = 0;
  /** Length of the section that is being read; 0: the length comes first. */
  #sectionLength = 0;
  /** The bytes of the length so far, and their number. */
  #length = 0;
  #lengthBytes = 0;
  #hasHeader = false;
  #root: Uint8Array | null = null;
  #hasRootBlock = false;
  #blocks = 0;
  #bytes = 0;

  constructor(limits: CarLimits, take: TakeBlock) {
    this.#limits = limits;
    this.#take = take;
  }

  push(chunk: Uint8Array): void {
    const { maxBytes } = this.#limits;
    this.#bytes += chunk.length;
    if (this.#bytes > maxBytes) throw new ArchiveTooLargeError(`the archive is larger than ${maxBytes} bytes`);
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < bytes.length) {
      if (this.#sectionLength === 0) {
        at = this.#readLength(bytes, at);
        continue;
      }
      const wanted = this.#sectionLength - this.#partialLength;
      const end = at + wanted;
      if (this.#partialLength === 0 && end <= bytes.length) {
        this.#section(bytes, at, end);
        at = end;
      } else at = this.#gather(bytes, at, Math.min(end, bytes.length));
    }
  }

  end(): CarSummary {
    const isCut = this.#sectionLength > 0 || this.#lengthBytes > 0;
    if (isCut) throw new TornArchiveError(`the archive ends within a block, after ${this.#bytes} bytes`);
    if (!this.#hasHeader) throw new TornArchiveError("the archive is empty");
    if (this.#root !== null && this.#limits.root === "required" && !this.#hasRootBlock) {
      throw new TornArchiveError(`the archive has ${this.#blocks} blocks, and its root is not among them`);
    }
    return { root: this.#root, blocks: this.#blocks, bytes: this.#bytes };
  }

  /** Returns the offset where it stopped: after the length, or at the end of the chunk. */
  #readLength(bytes: Buffer, start: number): number {
    let at = start;
    while (at < bytes.length) {
      const byte = bytes[at++] ?? 0;
      this.#length |= (byte & 0x7f) << (7 * this.#lengthBytes);
      this.#lengthBytes += 1;
      if (byte < 0x80) {
        const isShortest = byte !== 0 || this.#lengthBytes === 1;
        this.#startSection(this.#length, isShortest);
        this.#length = 0;
        this.#lengthBytes = 0;
        return at;
      }
      if (this.#lengthBytes === MAX_LENGTH_BYTES) throw bad("a block's length has too many digits");
    }
    return at;
  }

  #startSection(length: number, isShortest: boolean): void {
    const { maxBlockBytes } = this.#limits;
    if (!isShortest) throw bad("a block's length is not in its shortest form");
    if (length === 0) throw bad("a block's length is 0");
    if (!this.#hasHeader) {
      if (length > MAX_HEADER_BYTES) throw bad(`the header is ${length} bytes long; at most ${MAX_HEADER_BYTES}`);
    } else if (length < CID_LENGTH) throw bad("a block is too short for its CID");
    else if (length - CID_LENGTH > maxBlockBytes) {
      throw bad(`a block is ${length - CID_LENGTH} bytes long; at most ${maxBlockBytes}`);
    }
    this.#sectionLength = length;
  }

  #gather(bytes: Buffer, start: number, end: number): number {
    const { length } = this.#partial;
    const needed = this.#partialLength + end - start;
    // The buffer grows by what has arrived, never by a length that was only announced.
    if (needed > length) {
      const grown = Buffer.allocUnsafe(Math.min(Math.max(needed, 2 * length), this.#sectionLength));
      this.#partial.copy(grown, 0, 0, this.#partialLength);
      this.#partial = grown;
    }
    bytes.copy(this.#partial, this.#partialLength, start, end);
    this.#partialLength += end - start;
    if (this.#partialLength === this.#sectionLength) this.#section(this.#partial, 0, this.#partialLength);
    return end;
  }

  #section(bytes: Buffer, start: number, end: number): void {
    this.#sectionLength = 0;
    this.#partialLength = 0;
    if (this.#hasHeader) this.#block(bytes, start, end);
    else this.#header(bytes, start, end);
  }

  #header(bytes: Buffer, start: number, end: number): void {
    const root = readCarRoot(bytes, start, end);
    this.#hasHeader = true;
    if (typeof root === "number") this.#root = Uint8Array.from(bytes.subarray(root, root + CID_LENGTH));
    else if (root !== NO_ROOT || this.#limits.root === "required") throw bad(root);
  }

  #block(bytes: Buffer, cid: number, end: number): void {
    const start = cid + CID_LENGTH;
    if (!isCid(bytes, cid)) throw bad("a block's CID is not one of atproto's");
    if (!digestMatches(bytes, cid, bytes.subarray(start, end))) {
      throw new BadRepoError("hash-mismatch", "a block of the archive is not the one that its CID names");
    }
    if (!this.#hasRootBlock && this.#root !== null) this.#hasRootBlock = cidEquals(bytes, this.#root, cid);
    this.#blocks += 1;
    this.#take(bytes, cid, start, end);
  }
}

function bad(message: string): BadRepoError {
  return new BadRepoError("bad-archive", message);
}
