/** Values to DynamoDB attributes and back. null and an attribute that is not there are the same. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Position } from "@firehose-backfill/core/position";
import { BrokenStateError } from "../errors.ts";

export type Item = Readonly<Record<string, AttributeValue>>;
/** What an update sets; null removes the attribute. */
export type Attributes = Readonly<Record<string, AttributeValue | null>>;

export function text(value: string): AttributeValue {
  return { S: value };
}

/** @throws BrokenStateError when it is not finite */
export function number(value: number): AttributeValue {
  if (!Number.isFinite(value)) throw new BrokenStateError(`${value} cannot be stored`);
  return { N: String(value) };
}

export function flag(value: boolean): AttributeValue {
  return { BOOL: value };
}

export function bytes(value: Uint8Array): AttributeValue {
  return { B: value };
}

export function json(value: unknown): AttributeValue {
  return { S: JSON.stringify(value) };
}

export function position({ seq, timeMs }: Position): AttributeValue {
  return { M: { seq: number(seq), timeMs: number(timeMs) } };
}

export function numbers(values: Readonly<Record<string, number>>): AttributeValue {
  return { M: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, number(value)])) };
}

/** `null` where there is none; otherwise made by `make`. */
export function orNull<T>(value: T | null, make: (value: T) => AttributeValue): AttributeValue | null {
  return value === null ? null : make(value);
}

/** An item without the attributes that are null. */
export function itemOf(attributes: Attributes): Item {
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, AttributeValue] => entry[1] !== null),
  );
}

export function readText(item: Item, name: string): string {
  return present(item, name, item[name]?.S);
}

export function readTextOrNull(item: Item, name: string): string | null {
  return item[name]?.S ?? null;
}

/** @throws BrokenStateError when it is none of `values` */
export function readOneOf<T extends string>(item: Item, name: string, values: readonly T[]): T {
  const stored = readText(item, name);
  return present(
    item,
    name,
    values.find((value) => value === stored),
  );
}

export function readNumber(item: Item, name: string): number {
  return Number(present(item, name, item[name]?.N));
}

export function readNumberOrNull(item: Item, name: string): number | null {
  const value = item[name]?.N;
  return value === undefined ? null : Number(value);
}

/** Of an attribute that an update may have to begin: 0 where it is not there. */
export function readCount(item: Item, name: string): number {
  return readNumberOrNull(item, name) ?? 0;
}

export function readFlag(item: Item, name: string): boolean {
  return item[name]?.BOOL ?? false;
}

export function readBytes(item: Item, name: string): Uint8Array | null {
  return item[name]?.B ?? null;
}

export function readPositionOrNull(item: Item, name: string): Position | null {
  const map = item[name]?.M;
  return map === undefined ? null : { seq: readNumber(map, "seq"), timeMs: readNumber(map, "timeMs") };
}

export function readNumbers(item: Item, name: string): Record<string, number> {
  const map = item[name]?.M ?? {};
  return Object.fromEntries(Object.keys(map).map((key) => [key, readNumber(map, key)]));
}

/** @throws BrokenStateError */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what a name holds is known to the one who stored it, and only there
export function readJson<T>(item: Item, name: string): T {
  try {
    const value: T = JSON.parse(readText(item, name));
    return value;
  } catch (cause) {
    throw new BrokenStateError(`attribute ${name} of ${nameOf(item)} cannot be read`, { cause });
  }
}

function present<T>(item: Item, name: string, value: T | undefined): T {
  if (value === undefined) throw new BrokenStateError(`${nameOf(item)} has no ${name} that is known here`);
  return value;
}

export function nameOf(item: Item): string {
  return `item ${item["pk"]?.S ?? "?"} ${item["sk"]?.S ?? "?"}`;
}
