/** This project: the strict scan of the envelope, and records that are decoded when they are applied. */
import type { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { decodeRecord } from "@firehose-backfill/core/cbor/decode-record";
import { digestMatches } from "@firehose-backfill/core/cid";
import { systemClock } from "@firehose-backfill/core/clock";
import type { VerifyLevel } from "@firehose-backfill/core/config/settings";
import { extractEvents } from "@firehose-backfill/firehose/extract";
import type { EventReceiver } from "@firehose-backfill/firehose/extract-parts";
import { compileFilter } from "@firehose-backfill/firehose/filter";
import { readFrame } from "@firehose-backfill/firehose/frame";
import { openFirehoseReader } from "@firehose-backfill/firehose/reader";
import type { Filter } from "@firehose-backfill/firehose/types";
import { invertCommit } from "@firehose-backfill/repos/invert-commit";
import { encodeMessage } from "@firehose-backfill/queue/message-codec";
import { packBatches } from "@firehose-backfill/queue/pack";
import { benchFrames } from "../frames.ts";
import { type Contender, type DecodeFrame, NO_SUCH_COLLECTION, type ReadRelay } from "./contender.ts";

const EVERYTHING = compileFilter({ collections: [], dids: [] });
const NOTHING = compileFilter({ collections: [NO_SUCH_COLLECTION], dids: [] });
const DIDS = 10_000;
/** The program's own limits for a window. */
const LIMITS = {
  maxEvents: 5_000,
  maxBytes: 16 * 2 ** 20,
  maxReadBytes: 64 * 2 ** 20,
  maxMs: 10_000,
  takeFirstWhole: true,
};
/** The limits of one message in the Lambda profile. */
const MESSAGES = { batchSize: 500, limits: { maxMessageBytes: 1_000_000 } };

function decodeAll(events: EventLog, verify: VerifyLevel): number {
  let records = 0;
  for (let index = 0; index < events.length; index++) {
    const record = events.recordAt(index);
    if (record === null) continue;
    if (verify !== "structure" && !events.hashMatchesAt(index, record)) throw new Error("a record of another hash");
    decodeRecord(record);
    records++;
  }
  return records;
}

function decoding(filter: Filter, verify: VerifyLevel): DecodeFrame {
  const nowMs = Date.now();
  const rules = {
    filter,
    verify,
    invertCommit,
    isAhead: (momentMs: number, timeMs: number) => momentMs > timeMs && momentMs > nowMs,
  };
  let records = 0;
  /** Decodes each record in place in its frame. */
  const decoder: EventReceiver = {
    append(event) {
      if (event.kind === "dead") throw new Error(`${event.reason}: ${event.error}`);
    },
    appendRecord({ bytes, cid, recordStart, recordEnd }) {
      if (cid === -1) return;
      const record = new Uint8Array(bytes.buffer, bytes.byteOffset + recordStart, recordEnd - recordStart);
      if (verify !== "structure" && !digestMatches(bytes, cid, record)) throw new Error("a record of another hash");
      decodeRecord(record);
      records++;
    },
  };
  return (bytes) => {
    const frame = readFrame(bytes);
    if (!("did" in frame)) throw new Error(`a frame that is ${frame.kind}`);
    records = 0;
    extractEvents(frame, frame.timeMs, rules, decoder);
    return records;
  };
}

/** The frames' own accounts are among the 10,000. Created at the first frame, so that other modes do not pay for it. */
function decodingOfDids(): DecodeFrame {
  let decode: DecodeFrame | null = null;
  return (bytes) => {
    decode ??= decoding(compileFilter({ collections: [], dids: manyDids() }), "structure");
    return decode(bytes);
  };
}

function manyDids(): readonly string[] {
  const dids = new Set<string>();
  for (const bytes of benchFrames()) {
    const frame = readFrame(bytes);
    if ("did" in frame) dids.add(frame.did);
  }
  for (let number = 0; dids.size < DIDS; number++) dids.add(`did:plc:${number.toString(36).padStart(24, "a")}`);
  return [...dids];
}

function reading(filter: Filter, verify: VerifyLevel, use: (events: EventLog) => number): ReadRelay {
  return async (url, cursor, tally, signal) => {
    await using reader = openFirehoseReader({
      url,
      position: {
        cursor: null,
        start: { seq: cursor },
        startTimeMs: null,
        startReached: true,
        recentTimesMs: [],
        endTimeMs: Number.POSITIVE_INFINITY,
        endSeq: null,
        hostSeen: false,
        brokenFrames: 0,
      },
      filter,
      verify,
      invertCommit,
      // Nobody has the keys of the recording: the commits are undone, and then set aside without a look at the signature.
      resolveKey: () => Promise.resolve(null),
      clock: systemClock,
      random: Math.random,
      userAgent: "bench",
      isMemoryTight: () => false,
    });
    // A window whose signatures are not looked at when the time is over counts for nothing, so it is small there.
    const limits = verify === "inversion" ? { ...LIMITS, maxEvents: 100 } : LIMITS;
    while (!signal.aborted) {
      const window = await reader.readWindow(limits, signal);
      tally.records += use(window.events);
      tally.frames += window.frames;
    }
  };
}

function pack(events: EventLog): number {
  let packed = 0;
  for (const [number, batch] of packBatches(events, MESSAGES).entries()) {
    const key = { runId: "bench", generation: 1, window: 1, fence: 1, number };
    packed += Math.sign(encodeMessage({ key, dueMs: 0, paceVersion: 0, events: batch }).payload.length) * batch.length;
  }
  return packed;
}

export const contender: Contender = {
  name: "firehose-backfill",
  decode: {
    records: decoding(EVERYTHING, "structure"),
    hashed: decoding(EVERYTHING, "hash"),
    dids: decodingOfDids(),
    "no-match": decoding(NOTHING, "hash"),
    chain: decoding(EVERYTHING, "chain"),
    "chain-no-match": decoding(NOTHING, "chain"),
    inversion: decoding(EVERYTHING, "inversion"),
  },
  read: {
    records: reading(EVERYTHING, "structure", (events) => decodeAll(events, "structure")),
    hashed: reading(EVERYTHING, "hash", (events) => decodeAll(events, "hash")),
    messages: reading(EVERYTHING, "hash", pack),
    "no-match": reading(NOTHING, "hash", (events) => events.length),
    chain: reading(EVERYTHING, "chain", (events) => decodeAll(events, "hash")),
    "chain-no-match": reading(NOTHING, "chain", (events) => events.length),
    inversion: reading(EVERYTHING, "inversion", (events) => events.length),
  },
};
