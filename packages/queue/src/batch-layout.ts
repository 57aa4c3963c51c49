/**
 * How a batch is encoded in CBOR: an array in a fixed order. Version 1 is a window's batch; version 2 adds the ids of the dead
 * events of a redriven batch; version 3 has the order of version 1 and holds ranges of repositories. This is pure. A change of
 * the order needs a new version, because messages in the old order are in the queue during a deploy.
 */
import type { Batch, LoggedBatch } from "@firehose-backfill/core/batch";
import { encodeMessage } from "@firehose-backfill/core/cbor/encode";
import { readEvent } from "@firehose-backfill/core/cbor/event-layout";
import { FieldReader, LayoutError } from "@firehose-backfill/core/cbor/field-reader";
import { writeHead } from "@firehose-backfill/core/cbor/head";
import { groupEvents } from "@firehose-backfill/core/proved-range";

const ARRAY = 4;
const SHORT_ARRAY = 0x80;
const MOST_HEAD_BYTES = 5;

/** The buffer in which a batch is laid out. It is packed at once, so the next batch can use the same buffer. */
let scratch = Buffer.alloc(0);

/**
 * Uses the oldest version that can hold the batch, so that after a roll-back the older program can read most messages. The
 * bytes are valid until the next call.
 */
export function layOutBatch(batch: LoggedBatch): { readonly version: 1 | 2 | 3; readonly bytes: Uint8Array } {
  const { key, events, deadEventIds } = batch;
  // A record that was dead travels alone when it is tried again: its range was applied without it.
  if (events.hasRanges && deadEventIds !== undefined) throw new LayoutError("a range is never redriven");
  const version = deadEventIds !== undefined ? 2 : events.hasRanges ? 3 : 1;
  const before = [key.runId, key.generation, key.window, key.fence, key.number, batch.dueMs, batch.paceVersion];
  const head = encodeMessage(before);
  const tail = deadEventIds === undefined ? new Uint8Array(0) : encodeMessage(deadEventIds);
  const fields = before.length + (deadEventIds === undefined ? 1 : 2);
  // The log holds the events in the same encoding, so only the array around them has to be written.
  const mostBytes = head.length + MOST_HEAD_BYTES + events.byteLength + tail.length;
  if (scratch.length < mostBytes) scratch = Buffer.allocUnsafeSlow(2 * mostBytes);
  const bytes = scratch;
  bytes.set(head);
  bytes[0] = SHORT_ARRAY | fields;
  let at = writeHead(bytes, head.length, ARRAY, events.length);
  events.copyTo(bytes, at);
  at += events.byteLength;
  bytes.set(tail, at);
  return { version, bytes: bytes.subarray(0, at + tail.length) };
}

/** @throws LayoutError for anything that layOutBatch() would not have written as version 1. */
export function readBatch(value: unknown): Batch {
  const fields = new FieldReader("batch", value, 8);
  return withoutRanges(readWindowBatch(fields));
}

/** @throws LayoutError for anything that layOutBatch() would not have written as version 2. */
export function readRedrivenBatch(value: unknown): Batch {
  const fields = new FieldReader("batch", value, 9);
  const batch = withoutRanges(readWindowBatch(fields));
  const ids = fields.list();
  if (ids.length !== batch.events.length || !ids.every((id) => typeof id === "string"))
    throw new LayoutError("batch does not name a dead event for each of its events");
  return { ...batch, deadEventIds: ids };
}

/** @throws LayoutError for anything that layOutBatch() would not have made as version 3. */
export function readRangeBatch(value: unknown): Batch {
  const batch = readWindowBatch(new FieldReader("batch", value, 8));
  let ranges = 0;
  for (const group of groupEvents(batch.events)) if (group.kind === "range") ranges += 1;
  if (ranges === 0) throw new LayoutError("batch of ranges holds none");
  return batch;
}

/** A consumer of before there were ranges would read the same message, and would not know what it is to do. */
function withoutRanges(batch: Batch): Batch {
  if (batch.events.some(({ kind }) => kind === "range"))
    throw new LayoutError("batch holds a range in a version that has none");
  return batch;
}

function readWindowBatch(fields: FieldReader): Batch {
  return {
    key: {
      runId: fields.text(),
      generation: fields.integer(),
      window: fields.integer(),
      fence: fields.integer(),
      number: fields.integer(),
    },
    dueMs: fields.number(),
    paceVersion: fields.integer(),
    events: fields.list().map(readEvent),
  };
}
