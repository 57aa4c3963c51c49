/**
 * What we remember of a host, so that we stay welcome there: when it may be asked again, and how often it failed. A plain value, given in and
 * out, so that it can be kept wherever state is kept.
 */

export interface HostState {
  /** No request before this moment. */
  readonly nextAtMs: number;
  /** One after the other, since the last answer that was none. */
  readonly failures: number;
  /** Of those, the ones without any answer: a host that asks us to wait is there. */
  readonly unanswered: number;
  /** It asked us to wait, or failed: until then. null: only its rate counts. */
  readonly waitingUntilMs: number | null;
  /** In all. */
  readonly requests: number;
  readonly errors: number;
}

export const NEW_HOST: HostState = {
  nextAtMs: 0,
  failures: 0,
  unanswered: 0,
  waitingUntilMs: null,
  requests: 0,
  errors: 0,
};

/** After a 429 that does not say how long, doubled with each further one. */
const FIRST_WAIT_MS = 60_000;
/** After an answer that did not come, or a 5xx. */
const FIRST_PAUSE_MS = 5_000;
/** Nobody is waited for longer: one request an hour is no burden. */
const LONGEST_WAIT_MS = 3_600_000;
/** Doubling goes no further. */
const MOST_DOUBLINGS = 10;
/** A number above it is a moment, in seconds since 1970; one below it is a duration in seconds. */
const FIRST_MOMENT_S = 1_000_000_000;

/** Takes the next place on the host's pace. `atMs`: when to send. */
export function takeTurn(
  state: HostState,
  nowMs: number,
  perSecond: number,
): { readonly state: HostState; readonly atMs: number } {
  const atMs = Math.max(nowMs, state.nextAtMs);
  return { atMs, state: { ...state, nextAtMs: atMs + 1_000 / perSecond, requests: state.requests + 1 } };
}

/** When the host may be asked again. */
export function readyAtMs({ nextAtMs, waitingUntilMs }: HostState): number {
  return Math.max(nextAtMs, waitingUntilMs ?? 0);
}

export type Outcome =
  | { readonly kind: "answered"; readonly header: (name: string) => string | null }
  /** HTTP 429. */
  | { readonly kind: "rate-limited"; readonly header: (name: string) => string | null }
  | { readonly kind: "failed" };

/** `random`: 0 to 1, for jitter. */
export function afterRequest(state: HostState, outcome: Outcome, nowMs: number, random: number): HostState {
  switch (outcome.kind) {
    case "answered": {
      const { header } = outcome;
      const isSpent = header("ratelimit-remaining")?.trim() === "0";
      const waitMs = isSpent ? resetIn(header, nowMs) : null;
      return waiting({ ...state, failures: 0, unanswered: 0 }, waitMs === null ? null : nowMs + bounded(waitMs));
    }
    case "rate-limited": {
      const told = retryAfter(outcome.header, nowMs) ?? resetIn(outcome.header, nowMs);
      const waitMs = told ?? doubled(FIRST_WAIT_MS, state.failures) * (1 + random / 4);
      return { ...failed(state, nowMs + bounded(waitMs)), unanswered: 0 };
    }
    case "failed": {
      const waitMs = doubled(FIRST_PAUSE_MS, state.failures) * (1 + random / 4);
      return { ...failed(state, nowMs + bounded(waitMs)), unanswered: state.unanswered + 1 };
    }
    default: {
      const unreachable: never = outcome;
      return unreachable;
    }
  }
}

function failed(state: HostState, untilMs: number): HostState {
  return waiting({ ...state, failures: state.failures + 1, errors: state.errors + 1 }, untilMs);
}

function waiting(state: HostState, untilMs: number | null): HostState {
  return { ...state, waitingUntilMs: untilMs, nextAtMs: Math.max(state.nextAtMs, untilMs ?? 0) };
}

function doubled(firstMs: number, failures: number): number {
  return firstMs * 2 ** Math.min(failures, MOST_DOUBLINGS);
}

function bounded(waitMs: number): number {
  return Math.min(LONGEST_WAIT_MS, Math.max(1_000, waitMs));
}

/** Seconds, or a date. */
function retryAfter(header: (name: string) => string | null, nowMs: number): number | null {
  const value = header("retry-after")?.trim() ?? "";
  if (/^\d{1,12}$/.test(value)) return Number(value) * 1_000;
  const dateMs = /^[A-Z][a-z]{2}, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(dateMs) ? null : dateMs - nowMs;
}

/** The reference PDS writes a moment, the draft standard a duration; both in seconds. */
function resetIn(header: (name: string) => string | null, nowMs: number): number | null {
  const value = header("ratelimit-reset")?.trim() ?? "";
  if (!/^\d{1,12}$/.test(value)) return null;
  const seconds = Number(value);
  return seconds >= FIRST_MOMENT_S ? seconds * 1_000 - nowMs : seconds * 1_000;
}
