/** The limits of DynamoDB: keys and items that are too large, numbers out of range. null: within the limits. */
import type { Attributes, Item, Key, Value } from "../../../checkpoint/src/table/table.ts";

const MAX_PK_BYTES = 2048;
const MAX_SK_BYTES = 1024;
/** Names and values of all attributes, the key's included. */
const MAX_ITEM_BYTES = 400 * 1024;
const TOO_LARGE = 1e126;
const SMALLEST = 1e-130;
/** The overhead of a map, and of each of its fields. */
const MAP_BYTES = 3;
const FIELD_BYTES = 1;

export function refusalOfKey({ pk, sk }: Key): string | null {
  if (pk === "" || sk === "") return "a key cannot be empty";
  if (Buffer.byteLength(pk) > MAX_PK_BYTES) return `the partition key is above ${MAX_PK_BYTES} bytes`;
  return Buffer.byteLength(sk) > MAX_SK_BYTES ? `the sort key is above ${MAX_SK_BYTES} bytes` : null;
}

export function refusalOfValues(values: Attributes): string | null {
  const name = Object.keys(values).find((at) => !numbersIn(values[at] ?? null).every(isInRange));
  return name === undefined ? null : `${name} holds a number that is out of range`;
}

export function refusalOfSize(item: Item): string | null {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) bytes += Buffer.byteLength(name) + bytesOf(value);
  return bytes > MAX_ITEM_BYTES ? `the item has ${bytes} bytes, and ${MAX_ITEM_BYTES} are the most` : null;
}

function numbersIn(value: Value | null): readonly number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array)
    ? Object.values(value).filter((field) => typeof field === "number")
    : [];
}

function isInRange(number: number): boolean {
  const magnitude = Math.abs(number);
  return magnitude === 0 || (magnitude >= SMALLEST && magnitude < TOO_LARGE);
}

function bytesOf(value: Value): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number") return bytesOfNumber(value);
  if (typeof value === "boolean") return 1;
  if (value instanceof Uint8Array) return value.byteLength;
  return Object.entries(value).reduce(
    (sum, [name, field]) => sum + FIELD_BYTES + Buffer.byteLength(name) + bytesOf(field),
    MAP_BYTES,
  );
}

/** One byte for two digits, plus one; approximately, as DynamoDB's documentation says. */
function bytesOfNumber(value: number): number {
  const digits = String(Math.abs(value))
    .replace(/e.*/, "")
    .replace(".", "")
    .replace(/^0+|0+$/g, "");
  return digits === "" ? 1 : 1 + Math.ceil(digits.length / 2) + (value < 0 ? 1 : 0);
}
