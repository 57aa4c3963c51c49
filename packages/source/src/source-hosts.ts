/** How the hosts of a run are, for people: one small item of the run, which a source of many hosts keeps. */
import type { ItemPlace } from "./items.ts";

export interface SourceHost {
  readonly host: string;
  readonly requests: number;
  readonly errors: number;
  /** ISO 8601; null: it may be asked. */
  readonly waitingUntil: string | null;
}

/** The worst ones; more are not kept. */
export const MAX_SHOWN_HOSTS = 20;

export function hostsPlace(runId: string): ItemPlace {
  return { group: runId, name: "hosts" };
}

/** Those that wait longest first, then those with the most errors. */
export function byTrouble(a: SourceHost, b: SourceHost): number {
  return waitOf(b) - waitOf(a) || b.errors - a.errors || b.requests - a.requests;
}

/** What cannot be read is left out. null: nothing is kept. */
export function readSourceHosts(text: string | null): readonly SourceHost[] {
  if (text === null) return [];
  const parsed: unknown = JSON.parse(text);
  return Array.isArray(parsed) ? parsed.filter(isSourceHost) : [];
}

function waitOf({ waitingUntil }: SourceHost): number {
  return waitingUntil === null ? 0 : Date.parse(waitingUntil);
}

function isSourceHost(value: unknown): value is SourceHost {
  if (typeof value !== "object" || value === null) return false;
  const { host, requests, errors, waitingUntil }: Partial<Record<keyof SourceHost, unknown>> = value;
  const isCounted = typeof requests === "number" && typeof errors === "number";
  return typeof host === "string" && isCounted && (waitingUntil === null || typeof waitingUntil === "string");
}
