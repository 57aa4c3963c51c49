/**
 * Encodes a batch as a message and decodes it. A message has two parts: a body for people, who see it in the queue's console, and
 * a payload for the consumer, in a binary attribute. The consumer uses only the payload.
 *
 * payload = version u8 | packing u8 | the rest, which depends on the packing
 *   packing 0: CBOR (batch-layout.ts)
 *   packing 1: plain length u32 LE | packed length u32 LE | zstd of the CBOR
 * Both lengths are checked: zstd itself accepts trailing bytes, and a few packed bytes may unpack to gigabytes.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Batch, LoggedBatch } from "@firehose-backfill/core/batch";
import { decodeMessage as decodeCbor } from "@firehose-backfill/core/cbor/encode";
import { NewerKindError } from "@firehose-backfill/core/cbor/event-layout";
import { layOutBatch, readBatch, readRangeBatch, readRedrivenBatch } from "./batch-layout.ts";
import type { DecodedMessage } from "./types.ts";

export interface EncodedMessage {
  /** ASCII, so it cannot break the queue's rules about characters. */
  readonly body: string;
  readonly payload: Uint8Array;
}

/** A message as it was received. */
export interface ReceivedMessage {
  readonly body: string;
  /** null: the attribute is missing. */
  readonly payload: Uint8Array | null;
}

/**
 * Raised with every change of a layout. A consumer reads its own version and the one before, because during a deploy it gets older
 * messages. It leaves a message of a newer version, which may arrive after a roll-back, and a batch of its own version with a kind
 * of event that it does not know.
 */
export const MESSAGE_VERSION = 3;
const READERS: Readonly<Record<number, (value: unknown) => Batch>> = {
  1: readBatch,
  2: readRedrivenBatch,
  3: readRangeBatch,
};

/** The name and type of the attribute that carries the payload. */
export const PAYLOAD_ATTRIBUTE = "batch";
export const PAYLOAD_TYPE = "Binary";

/** More than any batch needs, and little enough for a consumer's memory. */
export const MAX_PLAIN_BYTES = 16 * 1024 * 1024;
/** A call of ten messages is billed by each started 64 KiB: below this size, packing saves no money and costs time. */
const PACK_FROM_BYTES = 6 * 1024;

/** The default level takes 50 % longer and saves half a byte of the 92 bytes of an event. */
const ZSTD_OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 }, chunkSize: 16 * 1024 };

const PLAIN = 0;
const ZSTD = 1;
const HEADER_BYTES = 2;
const ZSTD_HEADER_BYTES = 10;

/** @throws CborError for a batch that could not be read back: a bug of the caller */
export function encodeMessage(batch: LoggedBatch): EncodedMessage {
  const { version, bytes } = layOutBatch(batch);
  return { body: describe(batch, version), payload: pack(bytes, version) };
}

/** Never throws: any problem with a message is in the result. */
export function decodeMessage(message: ReceivedMessage): DecodedMessage {
  const { payload } = message;
  if (payload === null) return { kind: "malformed", error: `the message has no attribute "${PAYLOAD_ATTRIBUTE}"` };
  const [version, packing] = payload;
  if (version === undefined || packing === undefined) return { kind: "malformed", error: "the payload is empty" };
  if (version > MESSAGE_VERSION) return { kind: "newer-version", version };
  const read = READERS[version];
  if (read === undefined) return { kind: "malformed", error: `version ${version} is not read any more` };
  try {
    const plain = unpack(packing, payload);
    if (typeof plain === "string") return { kind: "malformed", error: plain };
    return { kind: "batch", batch: read(decodeCbor(plain)) };
  } catch (error) {
    if (error instanceof NewerKindError) return { kind: "newer-kind", error: error.message };
    return { kind: "malformed", error: error instanceof Error ? error.message : "the payload cannot be read" };
  }
}

/** The message's size as the queue counts it, if it counts binary attributes unencoded. */
export function messageBytes(message: EncodedMessage): number {
  return message.body.length + PAYLOAD_ATTRIBUTE.length + PAYLOAD_TYPE.length + message.payload.length;
}

function describe(batch: LoggedBatch, version: number): string {
  const { key, events } = batch;
  const text = JSON.stringify({
    version,
    run: key.runId,
    epoch: key.generation,
    window: key.window,
    number: key.number,
    due: new Date(batch.dueMs).toISOString(),
    events: events.counted,
    seq: events.length === 0 ? null : [events.seqAt(0), events.seqAt(events.length - 1)],
  });
  // JSON does not escape some characters that the queue refuses (U+FFFE, and with a stand-in all above the basic plane).
  return text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function pack(plain: Uint8Array, version: number): Uint8Array {
  if (plain.length >= PACK_FROM_BYTES && plain.length <= MAX_PLAIN_BYTES) {
    const packed = zstdCompressSync(plain, ZSTD_OPTIONS);
    if (ZSTD_HEADER_BYTES + packed.length < HEADER_BYTES + plain.length) {
      const payload = Buffer.allocUnsafeSlow(ZSTD_HEADER_BYTES + packed.length);
      payload.writeUInt8(version, 0);
      payload.writeUInt8(ZSTD, 1);
      payload.writeUInt32LE(plain.length, 2);
      payload.writeUInt32LE(packed.length, 6);
      payload.set(packed, ZSTD_HEADER_BYTES);
      return payload;
    }
  }
  const payload = new Uint8Array(HEADER_BYTES + plain.length);
  payload.set([version, PLAIN]);
  payload.set(plain, HEADER_BYTES);
  return payload;
}

/** The unpacked bytes, or a sentence with the problem. */
function unpack(packing: number, payload: Uint8Array): Uint8Array | string {
  if (packing === PLAIN) return payload.subarray(HEADER_BYTES);
  if (packing !== ZSTD) return `unknown packing ${packing}`;
  if (payload.length < ZSTD_HEADER_BYTES) return "the payload is cut off";
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const plainBytes = view.getUint32(2, true);
  const packed = payload.subarray(ZSTD_HEADER_BYTES);
  if (packed.length !== view.getUint32(6, true)) return "the payload is not as long as it says";
  if (plainBytes > MAX_PLAIN_BYTES) return `the payload unpacks to ${plainBytes} bytes, more than any batch`;
  const plain = zstdDecompressSync(packed, { maxOutputLength: plainBytes });
  return plain.length === plainBytes ? plain : "the payload does not unpack to what it says";
}
