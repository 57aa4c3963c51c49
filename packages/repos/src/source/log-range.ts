/**
 * A proved range into a log: the range event, then its records, each in its place. A record whose name no table takes is a dead entry there. What is kept
 * is copied, for the blocks of a range are views.
 */
import { deadEntry } from "@firehose-backfill/core/dead-entry";
import type { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { MAX_RECORD_BYTES } from "@firehose-backfill/core/cbor/decode-record";
import { CID_LENGTH } from "@firehose-backfill/core/cid";
import type { DeadEntry } from "@firehose-backfill/core/event";
import { isNsid, isRecordKey, isTid, tidTimeMs } from "@firehose-backfill/core/syntax";
import type { ProvedRange, RangeRecord } from "../walk/proved-range.ts";

/** What is kept of a record that is dead on arrival. */
const FIRST_BYTES = 64 * 1024;

/** Returns how many of its records are dead. */
export function logRange(log: EventLog, range: ProvedRange): number {
  const { did, rev, collection, from, to, sinceTid, records } = range;
  const commitMs = tidTimeMs(Buffer.from(rev, "latin1"), 0);
  const head = { kind: "range", seq: 0, timeMs: commitMs, did, rev } as const;
  log.append({ ...head, collection, from, to, sinceTid, records: records.length });
  const writer = new RecordWriter(log, range, commitMs);
  let dead = 0;
  for (const record of records) if (!writer.write(record)) dead += 1;
  return dead;
}

/** Lays each record out in one piece of memory, as the log takes it. */
class RecordWriter {
  readonly #log: EventLog;
  readonly #did: string;
  readonly #rev: number;
  readonly #key: number;
  readonly #commitMs: number;
  #bytes: Buffer;

  constructor(log: EventLog, { did, rev }: ProvedRange, commitMs: number) {
    this.#log = log;
    this.#did = did;
    this.#commitMs = commitMs;
    this.#bytes = Buffer.allocUnsafe(FIRST_BYTES);
    this.#rev = this.#bytes.write(did, 0, "latin1");
    this.#key = this.#rev + this.#bytes.write(rev, this.#rev, "latin1");
  }

  /** false: it is dead. */
  write(record: RangeRecord): boolean {
    const { key, cid, bytes } = record;
    const cidStart = this.#key + key.length;
    const recordStart = cidStart + CID_LENGTH;
    const recordEnd = recordStart + bytes.length;
    this.#grow(recordEnd);
    const scratch = this.#bytes;
    scratch.write(key, this.#key, "latin1");
    const slash = this.#key + key.indexOf("/");
    const problem = problemOf(scratch, { start: this.#key, slash, end: cidStart }, bytes.length);
    if (problem !== null) {
      this.#log.append(this.#deadEntry(record, problem));
      return false;
    }
    scratch.set(cid, cidStart);
    scratch.set(bytes, recordStart);
    this.#log.appendRecord({
      bytes: scratch,
      seq: 0,
      timeMs: isTid(scratch, slash + 1, cidStart) ? tidTimeMs(scratch, slash + 1) : this.#commitMs,
      didStart: 0,
      didEnd: this.#rev,
      revStart: this.#rev,
      revEnd: this.#key,
      action: "create",
      pathStart: this.#key,
      slash,
      pathEnd: cidStart,
      cid: cidStart,
      recordStart,
      recordEnd,
    });
    return true;
  }

  #grow(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * bytes);
    this.#bytes.copy(larger, 0, 0, this.#key);
    this.#bytes = larger;
  }

  #deadEntry({ key, bytes }: RangeRecord, { reason, error }: Problem): DeadEntry {
    return deadEntry({ seq: 0, timeMs: this.#commitMs, did: this.#did, path: key, reason, error, payload: bytes });
  }
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
