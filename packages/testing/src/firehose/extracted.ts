/** A frame's events as objects, which the reader itself never creates. */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import { extractEvents } from "@firehose-backfill/firehose/extract";
import type { Extract, ExtractRules } from "@firehose-backfill/firehose/extract-parts";
import type { MessageFrame } from "../../../firehose/src/frame-types.ts";

export type Extracted = Omit<Extract, "events"> & { readonly events: readonly FirehoseEvent[] };

/** At the frame's own time, if none is given. */
export function extracted(frame: MessageFrame, rules: ExtractRules, timeMs = frame.timeMs): Extracted {
  const log = new EventLog();
  const { events, ...extract } = extractEvents(frame, timeMs, rules, log);
  if (events !== log.length) throw new Error(`${log.length} events instead of ${events}`);
  return { ...extract, events: [...log] };
}
