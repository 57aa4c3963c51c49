/** How many notes a run keeps, and how long they are. */
import { shorten, shortenText, MAX_REASON_BYTES } from "./bounds.ts";
import type { Gap, RunAction, RunError } from "./notes.ts";

export const MAX_ERRORS = 20;
export const MAX_GAPS = 200;
export const MAX_ACTIONS = 100;
export const MAX_CONSUMERS = 200;
/** A consumer that has not reported for this long, while another one has, is gone. */
export const CONSUMER_SILENT_MS = 3_600_000;
const MAX_ERROR_BYTES = 1000;
const MAX_DETAIL_BYTES = 300;
const MAX_KIND_BYTES = 60;

export function boundError(error: RunError): RunError {
  return {
    ...error,
    source: shorten(error.source, MAX_REASON_BYTES),
    message: shortenText(error.message, MAX_ERROR_BYTES),
  };
}

export function boundAction(action: RunAction): RunAction {
  const { what, by, detail } = action;
  return {
    ...action,
    what: shorten(what, MAX_REASON_BYTES),
    by,
    detail: shortenText(detail, MAX_DETAIL_BYTES),
  };
}

/** The last ones, by time. `errors` in the order in which they came. */
export function lastErrors(errors: readonly RunError[]): readonly RunError[] {
  return errors.toSorted((a, b) => a.atMs - b.atMs).slice(-MAX_ERRORS);
}

/** A kind as a part of a key. */
export function kindKey(kind: string): string {
  return `kind-${shorten(kind.replaceAll(/[^A-Za-z0-9]+/g, "-"), MAX_KIND_BYTES)}`;
}

export function boundGap(gap: Gap): Gap {
  return { ...gap, reason: shortenText(gap.reason) };
}

export function isSameGap(a: Gap, b: Gap): boolean {
  return a.host === b.host && a.from.ordinal === b.from.ordinal && a.to.ordinal === b.to.ordinal;
}

/** Newest first; those beyond the limit, and those much older than the newest report, are `silent`. */
export function whoIsHeard<T>(reports: readonly T[], atMs: (report: T) => number): { heard: T[]; silent: T[] } {
  const sorted = reports.toSorted((a, b) => atMs(b) - atMs(a));
  const [newest] = sorted;
  const isHeard = (report: T, index: number) =>
    index < MAX_CONSUMERS && newest !== undefined && atMs(newest) - atMs(report) < CONSUMER_SILENT_MS;
  return { heard: sorted.filter(isHeard), silent: sorted.filter((report, index) => !isHeard(report, index)) };
}
