/** What messages cost: bytes per event, units that SQS bills, and the time to encode and decode them, compared with plain JSON. */
import { decodeRecord } from "@firehose-backfill/core/cbor/decode-record";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { EventSlice } from "@firehose-backfill/core/cbor/event-slice";
import { recordToJson } from "@firehose-backfill/core/cbor/record-json";
import { cidToText } from "@firehose-backfill/core/cid";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import {
  decodeMessage,
  type EncodedMessage,
  encodeMessage,
  messageBytes,
} from "@firehose-backfill/queue/message-codec";
import { packBatches } from "@firehose-backfill/queue/pack";
import { benchEvents } from "./bench-events.ts";
import { numbersOf } from "./lanes.ts";
import type { Benchmark } from "./benchmark.ts";

const BATCH_SIZES = [5, 50, 500];
/** Limits of SQS: messages in a call, bytes of a message, and the bytes that are billed as one request. */
const CALL_MESSAGES = 10;
const CALL_BYTES = 1_048_576;
const UNIT_BYTES = 65_536;
const MESSAGE_ROOM_BYTES = 1_000_000;

export const queue: Benchmark = {
  summary: "bytes an event, billed units and codec speed, next to plain JSON [--events N]",
  run(args) {
    const { events: count } = numbersOf(args, { events: 20_000 });
    const events = EventLog.of(benchEvents(count, "queue"));
    const results = BATCH_SIZES.map((batchSize) => {
      const batches = packBatches(events, { batchSize, limits: { maxMessageBytes: MESSAGE_ROOM_BYTES } });
      const ours = measureOurs(batches);
      const json = measureJson(batches.map((batch) => Array.from(batch)));
      const result = { batchSize, ours, json, "bytes: ours / JSON": round(ours.bytesPerEvent / json.bytesPerEvent) };
      console.error(JSON.stringify(result));
      return result;
    });
    return Promise.resolve({ events: count, results });
  },
};

interface Cost {
  readonly bytesPerEvent: number;
  /** Sending only; receiving is billed for the same bytes again, deleting as one unit for each message. */
  readonly sendUnitsPerMillion: number;
  readonly encodedPerSecond: number;
  readonly decodedPerSecond: number;
}

type Batches = readonly { readonly length: number }[];

function measureOurs(batches: readonly EventSlice[]): Cost {
  let messages: readonly EncodedMessage[] = [];
  const encode = (): void => {
    messages = batches.map((events, number) => {
      const key = { runId: "20261124-081200-k3f9", generation: 1, window: 1, fence: 1, number };
      return encodeMessage({ key, dueMs: 1.76e12, paceVersion: 1, events });
    });
  };
  const decode = (): void => {
    for (const message of messages) {
      if (decodeMessage(message).kind !== "batch") throw new Error("a message that cannot be read");
    }
  };
  const encodedPerSecond = perSecond(encode, batches);
  const decodedPerSecond = perSecond(decode, batches);
  return { ...bill(messages.map(messageBytes), batches), encodedPerSecond, decodedPerSecond };
}

/** What one would write without a codec: the record as JSON in the body. The reader has to decode records for it. */
function measureJson(batches: readonly (readonly FirehoseEvent[])[]): Cost {
  let bodies: readonly string[] = [];
  const encode = (): void => {
    bodies = batches.map((events) => JSON.stringify({ events: events.map(asJson) }));
  };
  const decode = (): void => bodies.forEach((body) => void JSON.parse(body));
  const encodedPerSecond = perSecond(encode, batches);
  const decodedPerSecond = perSecond(decode, batches);
  return {
    ...bill(
      bodies.map((body) => Buffer.byteLength(body)),
      batches,
    ),
    encodedPerSecond,
    decodedPerSecond,
  };
}

function asJson(event: FirehoseEvent): object {
  if (event.kind !== "record") return event;
  const { kind, seq, did, action, collection, rkey, rev, cid, record } = event;
  const time = new Date(event.timeMs).toISOString();
  const at = { kind, seq, time, did, action, collection, rkey, rev };
  if (cid === null || record === null) return at;
  const parsed: unknown = JSON.parse(recordToJson(decodeRecord(record)));
  return { ...at, cid: cidToText(cid), record: parsed };
}

/** Calls are filled as the sender fills them: up to ten messages, up to one MiB. */
function bill(sizes: readonly number[], batches: Batches): Pick<Cost, "bytesPerEvent" | "sendUnitsPerMillion"> {
  const events = countOf(batches);
  let units = 0;
  let call = { messages: 0, bytes: 0 };
  const close = (): void => {
    units += Math.ceil(call.bytes / UNIT_BYTES);
    call = { messages: 0, bytes: 0 };
  };
  for (const size of sizes) {
    if (call.messages === CALL_MESSAGES || call.bytes + size > CALL_BYTES) close();
    call = { messages: call.messages + 1, bytes: call.bytes + size };
  }
  close();
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { bytesPerEvent: round(bytes / events), sendUnitsPerMillion: Math.round((units / events) * 1e6) };
}

/** Events per second of CPU time, after one pass to warm up. */
function perSecond(pass: () => void, batches: Batches): number {
  pass();
  const start = process.cpuUsage();
  let passes = 0;
  let seconds = 0;
  while (seconds < 1) {
    pass();
    passes++;
    const { user, system } = process.cpuUsage(start);
    seconds = (user + system) / 1e6;
  }
  return Math.round((countOf(batches) * passes) / seconds);
}

function countOf(batches: Batches): number {
  return batches.reduce((sum, batch) => sum + batch.length, 0);
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
