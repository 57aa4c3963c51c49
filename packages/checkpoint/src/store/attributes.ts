/** Converts values of a run to attributes of items and back. null and a missing attribute are the same. */
import { type Cursor, MAX_SOURCE_TEXT_BYTES } from "@firehose-backfill/source/cursor";
import { BrokenStateError } from "../errors.ts";
import { type Attributes, type Item, nameOf, type Value } from "../table/table.ts";

export function json(value: unknown): string {
  return JSON.stringify(value);
}

/** The ordinal is stored as `seq`, as in every earlier version; null values are left out. */
export interface StoredCursor {
  readonly seq: number;
  readonly timeMs?: number;
  readonly token?: string;
}

export function cursor({ ordinal, timeMs, token }: Cursor): StoredCursor & Readonly<Record<string, number | string>> {
  return {
    seq: ordinal,
    ...(timeMs === null ? {} : { timeMs }),
    ...(token === null ? {} : { token: sourceText(token) }),
  };
}

/** `null` if there is none; otherwise converted by `make`. */
export function orNull<T>(value: T | null, make: (value: T) => Value): Value | null {
  return value === null ? null : make(value);
}

/** The given value; null stays null. */
export function given(values: Readonly<Record<string, Value | null | undefined>>): Attributes {
  return each((value: Value) => value, values);
}

/** Like given(), each value converted to an attribute by `make`. */
export function each<T>(make: (value: T) => Value, values: Readonly<Record<string, T | null | undefined>>): Attributes {
  const attributes: Record<string, Value | null> = {};
  for (const [name, value] of Object.entries(values))
    if (value !== undefined) attributes[name] = value === null ? null : make(value);
  return attributes;
}

/** A field of an object that may be null or absent. */
export function part<T extends object, Name extends keyof T>(
  whole: T | null | undefined,
  name: Name,
): T[Name] | null | undefined {
  return whole === null || whole === undefined ? whole : whole[name];
}

/** An item without the attributes that are null. */
export function itemOf(attributes: Attributes): Item {
  return Object.fromEntries(Object.entries(attributes).filter((entry): entry is [string, Value] => entry[1] !== null));
}

export function readText(item: Item, name: string): string {
  return present(item, name, readTextOrNull(item, name));
}

export function readTextOrNull(item: Item, name: string): string | null {
  const value = item[name];
  return typeof value === "string" ? value : null;
}

/** @throws BrokenStateError if it is none of `values` */
export function readOneOf<T extends string>(item: Item, name: string, values: readonly T[]): T {
  const stored = readText(item, name);
  return present(item, name, values.find((value) => value === stored) ?? null);
}

export function readNumber(item: Item, name: string): number {
  return present(item, name, readNumberOrNull(item, name));
}

export function readNumberOrNull(item: Item, name: string): number | null {
  const value = item[name];
  return typeof value === "number" ? value : null;
}

/** An attribute that an update may have to create: 0 if it is missing. */
export function readCount(item: Item, name: string): number {
  return readNumberOrNull(item, name) ?? 0;
}

export function readFlag(item: Item, name: string): boolean {
  return item[name] === true;
}

export function readBytes(item: Item, name: string): Uint8Array | null {
  const value = item[name];
  return value instanceof Uint8Array ? value : null;
}

/** @throws BrokenStateError if a source wants to store more than it may */
export function sourceText(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_SOURCE_TEXT_BYTES) return text;
  throw new BrokenStateError(`the source wants to store ${bytes} bytes, and ${MAX_SOURCE_TEXT_BYTES} are the most`);
}

export function cursorOf({ seq, timeMs, token }: StoredCursor): Cursor {
  return { ordinal: seq, timeMs: timeMs ?? null, token: token ?? null };
}

export function readCursorOrNull(item: Item, name: string): Cursor | null {
  const fields = readFieldsOrNull(item, name);
  if (fields === null) return null;
  return {
    ordinal: readNumber(fields, "seq"),
    timeMs: readNumberOrNull(fields, "timeMs"),
    token: readTextOrNull(fields, "token"),
  };
}

export function readNumbersOrNull(item: Item, name: string): Readonly<Record<string, number>> | null {
  const fields = readFieldsOrNull(item, name);
  if (fields === null) return null;
  return Object.fromEntries(Object.keys(fields).map((field) => [field, readNumber(fields, field)]));
}

function readFieldsOrNull(item: Item, name: string): Readonly<Record<string, number | string>> | null {
  const value = item[name];
  return typeof value === "object" && !(value instanceof Uint8Array) ? value : null;
}

/** @throws BrokenStateError */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- only the code that stored an attribute knows its type
export function readJson<T>(item: Item, name: string): T {
  try {
    const value: T = JSON.parse(readText(item, name));
    return value;
  } catch (cause) {
    throw new BrokenStateError(`attribute ${name} of ${nameOf(item)} cannot be read`, { cause });
  }
}

function present<T>(item: Item, name: string, value: T | null): T {
  if (value === null) throw new BrokenStateError(`${nameOf(item)} has no ${name} that is known here`);
  return value;
}
