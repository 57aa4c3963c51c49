/**
 * A proved range into a log: the range event, then its records, each in its place. A record whose name no table takes is a dead entry there. What is kept
 * is copied, for the blocks of a range are views.
 */
import { deadEntry } from "@firehose-backfill/core/dead-entry";
import type { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { MAX_RECORD_BYTES } from "@firehose-backfill/core/cbor/decode-record";
import { CID_LENGTH } from "@firehose-backfill/core/cid";
import { isNsid, isRecordKey, isTid, tidTimeMs } from "@firehose-backfill/core/syntax";
import type { ProvedRange, RangeRecord } from "../walk/proved-range.ts";

const FIRST_BYTES = 64 * 1024;

/** Keeps the memory in which it lays out records, because a range of 50 records would throw away more than it holds. */
export class RangeLogger {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);

  /** Returns how many of its records are dead. */
  append(log: EventLog, range: ProvedRange): number {
    const { did, rev, collection, from, to, sinceTid, records } = range;
    const commitMs = tidTimeMs(Buffer.from(rev, "latin1"), 0);
    const head = { kind: "range", seq: 0, timeMs: commitMs, did, rev } as const;
    log.append({ ...head, collection, from, to, sinceTid, records: records.length });
    const revStart = this.#bytes.write(did, 0, "latin1");
    const keyStart = revStart + this.#bytes.write(rev, revStart, "latin1");
    const place = { did, revStart, keyStart, commitMs };
    let dead = 0;
    for (const record of records) if (!this.#write(log, place, record)) dead += 1;
    return dead;
  }

  /** false: it is dead. */
  #write(log: EventLog, place: Place, record: RangeRecord): boolean {
    const { revStart, keyStart, commitMs } = place;
    const { key, cid, bytes } = record;
    const cidStart = keyStart + key.length;
    const recordStart = cidStart + CID_LENGTH;
    const recordEnd = recordStart + bytes.length;
    this.#grow(recordEnd, keyStart);
    const scratch = this.#bytes;
    scratch.write(key, keyStart, "latin1");
    const slash = keyStart + key.indexOf("/");
    const problem = problemOf(scratch, { start: keyStart, slash, end: cidStart }, bytes.length);
    if (problem !== null) {
      const { reason, error } = problem;
      log.append(deadEntry({ seq: 0, timeMs: commitMs, did: place.did, path: key, reason, error, payload: bytes }));
      return false;
    }
    scratch.set(cid, cidStart);
    scratch.set(bytes, recordStart);
    log.appendRecord({
      bytes: scratch,
      seq: 0,
      timeMs: isTid(scratch, slash + 1, cidStart) ? tidTimeMs(scratch, slash + 1) : commitMs,
      didStart: 0,
      didEnd: revStart,
      revStart,
      revEnd: keyStart,
      action: "create",
      pathStart: keyStart,
      slash,
      pathEnd: cidStart,
      cid: cidStart,
      recordStart,
      recordEnd,
    });
    return true;
  }

  /** What stands before the key is kept. */
  #grow(bytes: number, keyStart: number): void {
    if (bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * bytes);
    this.#bytes.copy(larger, 0, 0, keyStart);
    this.#bytes = larger;
  }
}

/** Where DID, revision and key of a range's records are in the memory. */
interface Place {
  readonly did: string;
  readonly revStart: number;
  readonly keyStart: number;
  readonly commitMs: number;
}

interface Problem {
  readonly reason: string;
  readonly error: string;
}

function problemOf(
  bytes: Buffer,
  path: { readonly start: number; readonly slash: number; readonly end: number },
  recordBytes: number,
): Problem | null {
  if (!isNsid(bytes, path.start, path.slash) || !isRecordKey(bytes, path.slash + 1, path.end))
    return { reason: "bad-path", error: "its path is not collection/rkey" };
  if (recordBytes > MAX_RECORD_BYTES)
    return { reason: "record-too-large", error: `it is ${recordBytes} bytes long; at most ${MAX_RECORD_BYTES}` };
  return null;
}
