/**
 * The log lines that people search for by their exact text, and the function that makes foreign text safe to print.
 * Pure: the callers decide who prints the lines, and where.
 */
import type { ThrottleSettings } from "./config/settings.ts";

const PROGRESS_EVERY_EVENTS = 10_000;
const PROGRESS_EVERY_MS = 30_000;

/** Printed once when a run starts, and again after a tune changed it. */
export function throttlingConfigLines(
  settings: Pick<ThrottleSettings, "batchSize" | "batchDelayMs" | "maxConcurrent" | "maxMemoryMb" | "useIdle">,
): string[] {
  return [
    "[BACKFILL] Resource throttling config:",
    `  - Batch size: ${settings.batchSize} events`,
    `  - Batch delay: ${settings.batchDelayMs}ms`,
    `  - Max concurrent: ${settings.maxConcurrent}`,
    `  - Memory limit: ${settings.maxMemoryMb}MB`,
    `  - Idle processing: ${settings.useIdle}`,
  ];
}

export function progressLine(progress: {
  readonly received: number;
  readonly processed: number;
  readonly skipped: number;
  readonly ratePerSecond: number;
}): string {
  const { received, processed, skipped, ratePerSecond } = progress;
  return `[BACKFILL] Progress: ${received} received, ${processed} processed, ${skipped} skipped (${ratePerSecond.toFixed(1)} evt/s)`;
}

export function memoryLine(memory: { readonly usedMb: number; readonly limitMb: number }): string {
  return `[BACKFILL] Memory: ${Math.round(memory.usedMb)}MB / ${Math.round(memory.limitMb)}MB limit`;
}

/** Behind a line of a run that is not the only one. What the line begins with stays the same. */
export function runSuffix(run: { readonly runId: string; readonly name: string | null }): string {
  return ` [run ${run.name ?? run.runId}]`;
}

export interface ProgressCadence {
  /** True if the lines are to be printed now; the next interval then begins here. */
  isDue(received: number, nowMs: number): boolean;
}

/** Every 10,000 events received, and at least every 30 s. The caller prints the line at the end of a run. */
export function progressCadence(start: { readonly received: number; readonly nowMs: number }): ProgressCadence {
  let step = Math.floor(start.received / PROGRESS_EVERY_EVENTS);
  let lastMs = start.nowMs;
  return {
    isDue: (received, nowMs) => {
      const reached = Math.floor(received / PROGRESS_EVERY_EVENTS);
      // Lower steps count, too: totals fall when a new generation drops unfinished windows.
      if (reached === step && nowMs - lastMs < PROGRESS_EVERY_MS) return false;
      const isDue = reached > step || nowMs - lastMs >= PROGRESS_EVERY_MS;
      step = reached;
      if (isDue) lastMs = nowMs;
      return isDue;
    },
  };
}

/** Control and format characters (ANSI, bidi, zero width), lone surrogates, private use, unassigned, line separators. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;
const NAMED_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Makes text from the network, a file or a database safe for one line of a log or a terminal: invisible characters become
 * `\n`, `\u001b` or `\u{e0041}`, and text longer than `maxLength` is cut, with a note of how much is missing.
 */
export function escapeForLog(text: string, maxLength = 500): string {
  const isCut = text.length > maxLength;
  const shown = isCut ? text.slice(0, maxLength) : text;
  const escaped = shown.replace(UNPRINTABLE, (character) => NAMED_ESCAPES[character] ?? escapeCharacter(character));
  return isCut ? `${escaped}… (${text.length - maxLength} more)` : escaped;
}

function escapeCharacter(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, "0")}`;
}
