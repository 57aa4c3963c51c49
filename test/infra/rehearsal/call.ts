/** One call to AWS, as the provider would make it, and small helpers for those who write or judge calls. */
import type { Registered } from "../stack.ts";

export interface Call {
  /** As botocore names it: `lambda`, `cloudwatch`. */
  readonly service: string;
  readonly operation: string;
  readonly input: Fields;
  /** The resource that asks for it. */
  readonly of: string;
}

export type Fields = Readonly<Record<string, unknown>>;

export function call(resource: Registered, name: string, input: Fields): Call {
  const [service = "", operation = ""] = name.split(".");
  return { service, operation, input: given(input), of: resource.name };
}

/** The calls of one operation: `callsOf(calls, "lambda.CreateFunction")`. */
export function callsOf(calls: readonly Call[], name: string): Call[] {
  return calls.filter(({ service, operation }) => `${service}.${operation}` === name);
}

/** Pulumi writes `memorySize` where the API writes `MemorySize`; otherwise most names are the same, at every depth. */
export function upper(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(upper);
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name.charAt(0).toUpperCase() + name.slice(1), upper(inner)]),
  );
}

export function upperFields(fields: Fields): Fields {
  return upper(fields) as Fields;
}

/** Without what is not set. */
export function given(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text as it is, and anything else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined");
}

/** What a JSON text holds, or null where it is none. */
export function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}
