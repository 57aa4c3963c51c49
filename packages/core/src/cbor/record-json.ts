/**
 * Writes a record in atproto's own JSON form as text for jsonb: `{"$link": "bafy…"}`, `{"$bytes": "…"}`.
 * jsonb accepts U+FFFE, U+FFFF and every other character but U+0000, so they stay as they are.
 */
import { cidToText } from "../cid.ts";
import { BadRecordError } from "./decode-record.ts";
import { type CborMap, type CborValue, CidLink, isCborList } from "./decoder.ts";

/** An escape for U+0000 in JSON, unless its backslash is itself escaped. */
const NUL_ESCAPE = /(?<!\\)(?:\\\\)*\\u0000/;

/**
 * The text of one JSON object.
 * @throws BadRecordError `nul-character`: a key or a string holds U+0000.
 */
export function recordToJson(record: CborMap): string {
  const text = toJson(record);
  if (text.includes("\\u0000") && NUL_ESCAPE.test(text)) throw new BadRecordError("nul-character");
  return text;
}

/** Recursion is safe: the scan has limited the depth. */
function toJson(value: CborValue): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (value instanceof CidLink) return `{"$link":"${cidToText(value.bytes)}"}`;
  if (value instanceof Uint8Array) return `{"$bytes":"${bytesToBase64(value)}"}`;
  return isCborList(value) ? listToJson(value) : mapToJson(value);
}

function listToJson(list: readonly CborValue[]): string {
  let text = "[";
  for (let index = 0; index < list.length; index++) {
    if (index > 0) text += ",";
    text += toJson(list[index] ?? null);
  }
  return `${text}]`;
}

function mapToJson(map: CborMap): string {
  let text = "{";
  for (const key of Object.keys(map)) {
    if (text.length > 1) text += ",";
    text += `${JSON.stringify(key)}:${toJson(map[key] ?? null)}`;
  }
  return `${text}}`;
}

function bytesToBase64(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  return text.replace(/=+$/, "");
}
