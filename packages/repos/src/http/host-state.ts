/**
 * What we remember of a host so that it keeps accepting our requests: when we may ask again, and how often it failed. A plain value that is
 * passed in and returned, so that the caller can keep it wherever it keeps state.
 */

export interface HostState {
  /** No request before this moment. */
  readonly nextAtMs: number;
  /** Consecutive failures since the last good answer. */
  readonly failures: number;
  /** Of those, the ones without any answer: a host that asks us to wait is there. */
  readonly unanswered: number;
  /** Consecutive requests that we stopped before an answer came: whether there is anybody is not known. */
  readonly stopped: number;
  /** Until when we wait because the host asked for it or failed. null: only the request rate limits us. */
  readonly waitingUntilMs: number | null;
  /** When the first of the consecutive failures was. null: its last answer was good. */
  readonly failingSinceMs: number | null;
  /** How long its last good answer took to begin. */
  readonly answerMs: number;
  /** Requests in total. */
  readonly requests: number;
  readonly errors: number;
}

export const NEW_HOST: HostState = {
  nextAtMs: 0,
  failures: 0,
  unanswered: 0,
  stopped: 0,
  waitingUntilMs: null,
  failingSinceMs: null,
  answerMs: 0,
  requests: 0,
  errors: 0,
};

/** The wait after a 429 that gives no duration; it doubles with each further 429. */
const FIRST_WAIT_MS = 60_000;
/** The pause after a missing answer or a 5xx. */
const FIRST_PAUSE_MS = 5_000;
/** The longest wait that we choose: one request an hour is no burden. */
const LONGEST_WAIT_MS = 3_600_000;
/** The longest wait that a 429 may ask for. */
const LONGEST_TOLD_MS = 86_400_000;
/** A host that has refused every request for so long is given up: otherwise a run would stay open as long as the host refuses. */
export const GIVEN_UP_AFTER_MS = 6 * 3_600_000;
/** If nobody asked for so long after the host might be asked, it is not known whether it refused all the time. */
const LONGEST_BREAK_MS = 3_600_000;
const STOPPED_TOO_OFTEN = 2;
/** The exponent of the back-off stops here. */
const MOST_DOUBLINGS = 10;
/** A larger number is a moment in seconds since 1970; a smaller one is a duration in seconds. */
const FIRST_MOMENT_S = 1_000_000_000;

/** Its repositories take long, whatever we do. */
const SLOW_ANSWER_MS = 5_000;

export function isSlow({ answerMs }: HostState): boolean {
  return answerMs >= SLOW_ANSWER_MS;
}

/** Takes the host's next request slot. `atMs` says when to send. */
export function takeTurn(
  state: HostState,
  nowMs: number,
  perSecond: number,
): { readonly state: HostState; readonly atMs: number } {
  const atMs = Math.max(nowMs, state.nextAtMs);
  return { atMs, state: { ...state, nextAtMs: atMs + 1_000 / perSecond, requests: state.requests + 1 } };
}

/** It may be that nobody is there: it does not answer, or was never given the time for it. */
export function isSilent({ unanswered, stopped }: HostState): boolean {
  return unanswered > 0 || stopped >= STOPPED_TOO_OFTEN;
}

/** When the host may be asked again. */
export function readyAtMs({ nextAtMs, waitingUntilMs }: HostState): number {
  return Math.max(nextAtMs, waitingUntilMs ?? 0);
}

/** It has refused every request for hours. */
export function isGivenUp({ failingSinceMs }: HostState, nowMs: number): boolean {
  return failingSinceMs !== null && nowMs - failingSinceMs >= GIVEN_UP_AFTER_MS;
}

/** When its repositories are to be taken up again: when it may be asked, or when it is given up, whichever comes first. */
export function waitForMs(state: HostState, nowMs: number): number {
  const readyMs = readyAtMs(state);
  const { failingSinceMs } = state;
  return failingSinceMs === null ? readyMs : Math.min(readyMs, Math.max(nowMs, failingSinceMs + GIVEN_UP_AFTER_MS));
}

export type Outcome =
  | { readonly kind: "answered"; readonly header: (name: string) => string | null; readonly answerMs?: number }
  /** HTTP 429. */
  | { readonly kind: "rate-limited"; readonly header: (name: string) => string | null }
  | { readonly kind: "failed" }
  /** We have stopped it. */
  | { readonly kind: "stopped" };

/** `random` is 0 to 1, for jitter. */
export function afterRequest(state: HostState, outcome: Outcome, nowMs: number, random: number): HostState {
  switch (outcome.kind) {
    case "answered": {
      const { header, answerMs = state.answerMs } = outcome;
      const isSpent = header("ratelimit-remaining")?.trim() === "0";
      const waitMs = isSpent ? resetIn(header, nowMs) : null;
      return waiting(
        { ...state, failures: 0, unanswered: 0, stopped: 0, failingSinceMs: null, answerMs },
        waitMs === null ? null : nowMs + bounded(waitMs),
      );
    }
    case "rate-limited": {
      const told = retryAfter(outcome.header, nowMs) ?? resetIn(outcome.header, nowMs);
      const waitMs =
        told === null
          ? bounded(doubled(FIRST_WAIT_MS, state.failures) * (1 + random / 4))
          : bounded(told, LONGEST_TOLD_MS);
      return { ...failed(state, nowMs, waitMs), unanswered: 0, stopped: 0 };
    }
    case "failed": {
      const waitMs = doubled(FIRST_PAUSE_MS, state.failures) * (1 + random / 4);
      return { ...failed(state, nowMs, bounded(waitMs)), unanswered: state.unanswered + 1 };
    }
    case "stopped":
      return { ...state, stopped: state.stopped + 1 };
    default: {
      const unreachable: never = outcome;
      return unreachable;
    }
  }
}

function failed(state: HostState, nowMs: number, waitMs: number): HostState {
  const isSame = nowMs - (state.waitingUntilMs ?? nowMs) < LONGEST_BREAK_MS;
  const failingSinceMs = isSame ? (state.failingSinceMs ?? nowMs) : nowMs;
  const { failures, errors } = state;
  return waiting({ ...state, failingSinceMs, failures: failures + 1, errors: errors + 1 }, nowMs + waitMs);
}

function waiting(state: HostState, untilMs: number | null): HostState {
  return { ...state, waitingUntilMs: untilMs, nextAtMs: Math.max(state.nextAtMs, untilMs ?? 0) };
}

function doubled(firstMs: number, failures: number): number {
  return firstMs * 2 ** Math.min(failures, MOST_DOUBLINGS);
}

function bounded(waitMs: number, longestMs = LONGEST_WAIT_MS): number {
  return Math.min(longestMs, Math.max(1_000, waitMs));
}

/** The header holds seconds or a date. */
function retryAfter(header: (name: string) => string | null, nowMs: number): number | null {
  const value = header("retry-after")?.trim() ?? "";
  if (/^\d{1,12}$/.test(value)) return Number(value) * 1_000;
  const dateMs = /^[A-Z][a-z]{2}, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(dateMs) ? null : dateMs - nowMs;
}

/** The reference PDS sends a moment, the draft standard a duration; both are in seconds. */
function resetIn(header: (name: string) => string | null, nowMs: number): number | null {
  const value = header("ratelimit-reset")?.trim() ?? "";
  if (!/^\d{1,12}$/.test(value)) return null;
  const seconds = Number(value);
  return seconds >= FIRST_MOMENT_S ? seconds * 1_000 - nowMs : seconds * 1_000;
}
