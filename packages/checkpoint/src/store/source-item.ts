/**
 * Converts what a run item says about its source. The state is packed, because the item is billed by its size. Items of older
 * programs have the relay's facts as separate attributes. They are read as the state that the relay's kit would have written,
 * and are removed when the next state is stored.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { RunSource } from "@firehose-backfill/source/kit";
import type { SourceProgress, SourceState } from "@firehose-backfill/source/window";
import { BrokenStateError } from "../errors.ts";
import type { Attributes, Item } from "../table/table.ts";
import {
  json,
  readBytes,
  readFlag,
  readJson,
  readNumber,
  readNumbersOrNull,
  readText,
  sourceText,
} from "./attributes.ts";

/** Every run that an older program began has this kind. */
const FIRST_KIND = "relay";
const CARRIED_OVER = { startReached: null, hostSeen: null, brokenFrames: null, recentTimes: null };

/** The host has its own attribute, as in every earlier version. A source that has more than a relay's host is stored in a second one. */
export function sourceAttributes(source: RunSource | undefined): Attributes {
  if (source === undefined) return {};
  const { host } = source;
  return { host, source: source.kind === FIRST_KIND ? null : json(source) };
}

export function readSource(item: Item): RunSource {
  const host = readText(item, "host");
  return item["source"] === undefined ? { kind: FIRST_KIND, host } : readJson<RunSource>(item, "source");
}

export function stateAttributes(sourceState: SourceState | null | undefined): Attributes {
  if (sourceState === undefined) return {};
  return { state: sourceState === null ? null : deflateRawSync(sourceText(sourceState)), ...CARRIED_OVER };
}

export function readState(item: Item): SourceState | null {
  if (item["hostSeen"] !== undefined) return stateOfBefore(item);
  const bytes = readBytes(item, "state");
  if (bytes === null) return null;
  try {
    return inflateRawSync(bytes).toString();
  } catch (cause) {
    throw new BrokenStateError("the state of the source cannot be read", { cause });
  }
}

function stateOfBefore(item: Item): SourceState {
  const times = Buffer.from(readBytes(item, "recentTimes") ?? []).toString("base64");
  const [startReached, hostSeen] = [readFlag(item, "startReached"), readFlag(item, "hostSeen")];
  return json([startReached, hostSeen, readNumber(item, "brokenFrames"), times]);
}

/** A map of numbers, like all other counts. Its names are short, because the item is billed by its size. */
export function progressFields(progress: SourceProgress): Readonly<Record<string, number>> {
  const { known, done, inWork, deferred, failed, isComplete } = progress;
  return { k: known, d: done, w: inWork, p: deferred, f: failed, c: isComplete ? 1 : 0 };
}

export function readProgress(item: Item): SourceProgress | null {
  const fields = readNumbersOrNull(item, "progress");
  if (fields === null) return null;
  const { k = 0, d = 0, w = 0, p = 0, f = 0, c = 0 } = fields;
  return { known: k, done: d, inWork: w, deferred: p, failed: f, isComplete: c === 1 };
}
