/** The events of the recorded frames, with new accounts in each copy. */
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { extractEvents } from "@firehose-backfill/firehose/extract";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import { compileFilter } from "@firehose-backfill/firehose/filter";
import { readFrame } from "@firehose-backfill/firehose/frame";
import { pdsFrames } from "../test/support/recordings.ts";

const BACK_MS = 30 * 86_400_000;

/** At most `count` events, in stream order. The same seed gives the same events. */
export function benchEvents(count: number, seed: string): readonly FirehoseEvent[] {
  const frames = pdsFrames();
  const copies = Math.ceil(count / frames.length);
  const log = resealedLog({ frames, copies, seed, firstTimeMs: Date.now() - BACK_MS });
  const filter = compileFilter({ collections: [], dids: [] });
  const rules = { filter, verify: "structure", isAhead: () => false } as const;
  const events = new EventLog();
  for (const { frame: bytes } of log.after(0)) {
    const buffer = Buffer.from(bytes);
    const frame = readFrame(buffer);
    if (!("did" in frame)) throw new Error(`a frame that is ${frame.kind}`);
    extractEvents(frame, frame.timeMs, rules, events);
    if (events.length >= count) break;
  }
  events.truncate(count);
  return [...events];
}

export function inGroups<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
