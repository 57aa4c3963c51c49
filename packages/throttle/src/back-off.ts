/**
 * Progressive back-off: one factor in the pace item, 1 to 16, that multiplies the delay of all batches on that pace.
 * It doubles under pressure (memory, latency, the throttle query) and halves after a minute without pressure.
 */
export const MAX_BACK_OFF = 16;
const QUIET_MS = 60_000;
const LEAST_BETWEEN_RISES_MS = 5_000;

/** A rise is allowed if the last change happened before this moment: at most once per effective delay or 5 s. */
export function riseAllowedBefore(nowMs: number, effectiveDelayMs: number): number {
  return nowMs - Math.max(LEAST_BETWEEN_RISES_MS, effectiveDelayMs);
}

/** A halving is allowed if the last change happened before this moment. */
export function fallAllowedBefore(nowMs: number): number {
  return nowMs - QUIET_MS;
}
