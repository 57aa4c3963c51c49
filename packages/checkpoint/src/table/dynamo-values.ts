/** Converts values of the port to DynamoDB's attributes and back. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { BrokenStateError } from "../errors.ts";
import type { Item, Value } from "./table.ts";

export function toAttribute(value: Value): AttributeValue {
  if (typeof value === "string") return { S: value };
  if (typeof value === "number") return { N: String(value) };
  if (typeof value === "boolean") return { BOOL: value };
  if (value instanceof Uint8Array) return { B: value };
  return { M: toAttributes(value) };
}

export function toAttributes(values: Readonly<Record<string, Value>>): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toAttribute(value)]));
}

/** @throws BrokenStateError if it has a type that this program never writes */
export function toItem(attributes: Readonly<Record<string, AttributeValue>>): Item {
  const item: Record<string, Value> = {};
  for (const [name, { S, N, BOOL, B, M }] of Object.entries(attributes)) {
    const value = S ?? BOOL ?? B ?? (M === undefined ? numberOf(N) : fieldsOf(M));
    if (value === undefined)
      throw new BrokenStateError(
        `attribute ${name} of item ${attributes["pk"]?.S ?? "?"} ${attributes["sk"]?.S ?? "?"} has a type that this program does not write`,
      );
    item[name] = value;
  }
  return item;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function fieldsOf(map: Readonly<Record<string, AttributeValue>>): Record<string, number | string> | undefined {
  const fields: Record<string, number | string> = {};
  for (const [name, { N, S }] of Object.entries(map)) {
    const value = S ?? numberOf(N);
    if (value === undefined) return undefined;
    fields[name] = value;
  }
  return fields;
}
