/** The errors of a run, each once with how often it came: a relay that is down fails at each attempt. Pure. */
import type { RunError } from "@firehose-backfill/checkpoint/notes";
import { formatCount, formatTime } from "./format.ts";
import { iso } from "./rounding.ts";
import type { SnapshotError } from "./snapshot.ts";

/**
 * The store keeps one error of each kind and counts it; those without a kind are the same where source and text are the same.
 * Sorted by when they came last; the text is the latest one.
 */
export function groupErrors(errors: readonly RunError[]): readonly SnapshotError[] {
  const groups = new Map<string, RunError & { readonly times: number; readonly firstAtMs: number }>();
  for (const error of errors) {
    const key = `${error.source} ${error.kind ?? error.message}`;
    const before = groups.get(key);
    groups.delete(key);
    const { times = 1, firstAtMs = error.atMs } = error;
    groups.set(key, {
      ...error,
      times: times + (before?.times ?? 0),
      firstAtMs: Math.min(firstAtMs, before?.firstAtMs ?? firstAtMs),
    });
  }
  return [...groups.values()].map(({ atMs, source, message, times, firstAtMs }) => ({
    at: iso(atMs),
    source,
    message,
    ...(times === 1 ? {} : { times }),
    ...(times === 1 || firstAtMs === atMs ? {} : { since: iso(firstAtMs) }),
  }));
}

/** `ECONNREFUSED at the relay, 41 times since 05:12`; with the date, if it began on another day than `at`. */
export function errorText({ message, times, since }: SnapshotError, at: string): string {
  if (times === undefined) return message;
  const many = `${message}, ${formatCount(times)} times`;
  if (since === undefined) return many;
  const shown = formatTime(since);
  return `${many} since ${shown.slice(0, 10) === at.slice(0, 10) ? shown.slice(11, 16) : shown.slice(0, 16)} UTC`;
}
