/** Functions that create conditions, so that the calls read like sentences. */
import type { Condition, Operator } from "./table.ts";

export function equals(path: string, value: string | number | boolean): Condition {
  return { kind: "equals", path, value };
}

export function compare(path: string, operator: Operator, value: number): Condition {
  return { kind: "compare", path, operator, value };
}

export function exists(path: string): Condition {
  return { kind: "exists", path };
}

export function absent(path: string): Condition {
  return { kind: "absent", path };
}

/** At least one value. */
export function oneOf(path: string, values: readonly string[]): Condition {
  return { kind: "any", conditions: values.map((value) => equals(path, value)) };
}

export function all(first: Condition, ...others: readonly Condition[]): Condition {
  return { kind: "all", conditions: [first, ...others] };
}

export function any(first: Condition, ...others: readonly Condition[]): Condition {
  return { kind: "any", conditions: [first, ...others] };
}
