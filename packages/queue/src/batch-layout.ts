/**
 * How a batch lies in CBOR: an array in a fixed order. Version 1 is a window's batch; version 2 adds the ids of the dead
 * events that a redriven batch consists of. Pure data in, pure data out. A change of the order is a new version:
 * messages of the old one are in the queue while a deploy goes on.
 */
import type { Batch } from "@firehose-backfill/core/batch";
import type { MessageValue } from "@firehose-backfill/core/cbor/encode";
import { layOutEvent, readEvent } from "@firehose-backfill/core/cbor/event-layout";
import { FieldReader, LayoutError } from "@firehose-backfill/core/cbor/field-reader";

/** As old a version as holds the batch: what a roll-back meets in the queue, it can mostly read. */
export function layOutBatch(batch: Batch): { readonly version: 1 | 2; readonly value: MessageValue } {
  const { key, deadEventIds } = batch;
  const value = [
    key.runId,
    key.epoch,
    key.window,
    key.fence,
    key.number,
    batch.dueMs,
    batch.paceEpoch,
    batch.events.map(layOutEvent),
  ];
  return deadEventIds === undefined ? { version: 1, value } : { version: 2, value: [...value, deadEventIds] };
}

/** @throws LayoutError for anything that layOutBatch() would not have made as version 1. */
export function readBatch(value: unknown): Batch {
  const fields = new FieldReader("batch", value, 8);
  return readWindowBatch(fields);
}

/** @throws LayoutError for anything that layOutBatch() would not have made as version 2. */
export function readRedrivenBatch(value: unknown): Batch {
  const fields = new FieldReader("batch", value, 9);
  const batch = readWindowBatch(fields);
  const ids = fields.list();
  if (ids.length !== batch.events.length || !ids.every((id) => typeof id === "string"))
    throw new LayoutError("batch does not name a dead event for each of its events");
  return { ...batch, deadEventIds: ids };
}

function readWindowBatch(fields: FieldReader): Batch {
  return {
    key: {
      runId: fields.text(),
      epoch: fields.integer(),
      window: fields.integer(),
      fence: fields.integer(),
      number: fields.integer(),
    },
    dueMs: fields.number(),
    paceEpoch: fields.integer(),
    events: fields.list().map(readEvent),
  };
}
