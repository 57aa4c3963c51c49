/** A dead event as a JSON value for people and scripts: decoded where it can be, base64 where it cannot. Pure. */
import { BadRecordError, decodeRecord } from "@firehose-backfill/core/cbor/decode-record";
import { recordToJson } from "@firehose-backfill/core/cbor/record-json";
import { cidToText } from "@firehose-backfill/core/cid";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import { BY_RESYNC, type DeadEvent, isFailedRepository } from "@firehose-backfill/sink/dead-events";

export interface DeadEventJson extends Omit<DeadEvent, "payload" | "event"> {
  /** `redrive` can try it again. */
  readonly canBeRedriven: boolean;
  /** null: it is not complete, or larger than what was asked for. */
  readonly event: unknown;
  /** The beginning of what arrived; left out where the event is there. */
  readonly payload?: unknown;
}

/** Of bytes that are not decoded. */
const MAX_BYTES_SHOWN = 16 * 1024;

/** It was a repository that could not be read, and was requested to be read anew. */
export function isHandedOver({ appliedBy }: Pick<DeadEvent, "appliedBy">): boolean {
  return appliedBy === BY_RESYNC;
}

export function deadEventJson({ payload, event, ...dead }: DeadEvent): DeadEventJson {
  const about = {
    ...dead,
    canBeRedriven: dead.appliedAt === null && (dead.eventBytes !== null || isFailedRepository(dead)),
  };
  return event === null
    ? { ...about, event: null, payload: payloadJson(payload) }
    : { ...about, event: eventJson(event) };
}

function eventJson(event: FirehoseEvent): unknown {
  const { timeMs, ...rest } = event;
  const time = isoOrNull(timeMs);
  if (rest.kind === "record") {
    const { cid, record, ...about } = rest;
    return {
      ...about,
      time,
      cid: cid === null ? null : cidText(cid),
      record: record === null ? null : recordJson(record),
    };
  }
  if (rest.kind !== "dead") return { ...rest, time };
  const { payload, event: inner, ...about } = rest;
  return { ...about, time, payload: payloadJson(payload), ...(inner === undefined ? {} : { event: eventJson(inner) }) };
}

/** The database's own refusals hold JSON; of a record that is too large there is the beginning of its bytes. */
function payloadJson(payload: Uint8Array): unknown {
  if (payload.length === 0) return null;
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    return typeof parsed === "object" ? parsed : bytesJson(payload);
  } catch {
    return recordJson(payload);
  }
}

function recordJson(bytes: Uint8Array): unknown {
  try {
    const parsed: unknown = JSON.parse(recordToJson(decodeRecord(bytes)));
    return parsed;
  } catch (error) {
    if (error instanceof BadRecordError) return bytesJson(bytes);
    throw error;
  }
}

function bytesJson(bytes: Uint8Array): unknown {
  const shown = Buffer.from(bytes.subarray(0, MAX_BYTES_SHOWN)).toString("base64");
  return { base64: shown, bytes: bytes.length, ...(bytes.length > MAX_BYTES_SHOWN ? { isCut: true } : {}) };
}

/** What is dead may have a CID that is none. */
function cidText(cid: Uint8Array): unknown {
  return cid.length === CID_BYTES ? cidToText(cid) : bytesJson(cid);
}

const CID_BYTES = 36;
const MOST_MS = 8.64e15;

function isoOrNull(timeMs: number): string | null {
  return Math.abs(timeMs) <= MOST_MS ? new Date(timeMs).toISOString() : null;
}

/** Control and format characters, lone surrogates, unassigned ones: JSON.stringify leaves most of them as they are. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

/** JSON that is safe on a terminal and on a page: what cannot be seen is escaped as JSON does it. `indent`: 0, all on one line. */
export function printableJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(UNPRINTABLE, (character) =>
    character === "\n" ? character : escapeUnits(character),
  );
}

function escapeUnits(character: string): string {
  return Array.from(
    { length: character.length },
    (_, unit) => String.raw`\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`,
  ).join("");
}
