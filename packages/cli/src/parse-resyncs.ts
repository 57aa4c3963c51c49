/** Parses a list of requests for resyncs from JSON; it checks only enough of its shape to recognise one. */
import type { ListedResyncs } from "@firehose-backfill/backfill/list-resyncs";

/** null: it is none. */
export function parseResyncs(value: unknown): ListedResyncs | null {
  return isResyncs(value) ? value : null;
}

function isResyncs(value: unknown): value is ListedResyncs {
  if (typeof value !== "object" || value === null || !("requests" in value) || !("done" in value)) return false;
  const { requests, done } = value;
  return typeof done === "number" && Array.isArray(requests) && requests.every(isRequest);
}

function isRequest(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return ["did", "reason", "at", "state"].every((key) => typeof Reflect.get(value, key) === "string");
}
