/** Computes how long to wait before the next connection. Pure. */
import type { FirehoseTimings } from "./timings.ts";

/** The longest wait that a server can ask for. */
const MAX_RETRY_AFTER_MS = 3_600_000;
const SECONDS = /^\d{1,9}$/;

type ReconnectTimings = Pick<FirehoseTimings, "reconnectMinMs" | "reconnectMaxMs" | "backOffMaxMs">;

/**
 * `fruitless`: how many connections in a row brought no frame. After a connection that brought one, the wait is short. Then it
 * doubles each time, and half of it is jitter, so that many readers do not return at once.
 */
export function reconnectDelayMs(fruitless: number, random: () => number, timings: ReconnectTimings): number {
  const { reconnectMinMs, reconnectMaxMs, backOffMaxMs } = timings;
  if (fruitless === 0) return reconnectMinMs + random() * (reconnectMaxMs - reconnectMinMs);
  const longest = Math.min(reconnectMaxMs * 2 ** fruitless, backOffMaxMs);
  return longest * (0.5 + random() / 2);
}

/** Retry-After as milliseconds from now, at most an hour. The header holds seconds or an HTTP date. null: it is absent, or neither. */
export function parseRetryAfter(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  const text = header.trim();
  const waitMs = SECONDS.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? null : Math.min(Math.max(waitMs, 0), MAX_RETRY_AFTER_MS);
}
