/** Formats figures for people; the terminal and the page use the same words. Always English, always UTC, so that output is stable. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";

/** `12,345` */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** `2.5`, `100`, `1,234`: only significant digits. */
export function formatRate(perSecond: number): string {
  const digits = perSecond < 10 ? 2 : perSecond < 100 ? 1 : 0;
  return perSecond.toLocaleString("en-US", { maximumFractionDigits: digits });
}

/** `2.5`; `--` if it is not known. */
export function formatRateOrDash(perSecond: number | null): string {
  return perSecond === null ? "--" : formatRate(perSecond);
}

/** `54.2 %`; 100 % only if it is complete. */
export function formatPercent(fraction: number): string {
  const tenths = fraction >= 1 ? 1_000 : Math.min(999, Math.floor(fraction * 1_000));
  return `${(tenths / 10).toFixed(1)} %`;
}

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** The two largest units: `3 d 4 h`, `5 h 10 min`, `42 s`. */
export function formatDuration(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds));
  if (rest === 0) return seconds > 0 ? "< 1 s" : "0 s";
  const parts: string[] = [];
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    rest %= length;
    if (count === 0 && parts.length === 0) continue;
    if (count > 0) parts.push(`${count} ${unit}`);
    if (parts.length === 2 || count === 0) break;
  }
  return parts.join(" ");
}

/** `about 2 h 32 min` for an estimate; `--` if it is not known. */
export function formatAbout(seconds: number | null): string {
  return seconds === null ? "--" : `about ${formatDuration(seconds)}`;
}

/** `2026-01-02 03:04:05` in UTC, from ISO 8601; other text is shown unchanged, but escaped; null as `--`. */
export function formatTime(iso: string | null): string {
  if (iso === null) return "--";
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(iso) ? `${iso.slice(0, 10)} ${iso.slice(11, 19)}` : escapeForLog(iso);
}

/** Seconds from `fromIso` to `toIso`; 0 if one of them is not a time. */
export function secondsBetween(fromIso: string | null, toIso: string | null): number {
  const seconds = (Date.parse(toIso ?? "") - Date.parse(fromIso ?? "")) / 1_000;
  return Number.isFinite(seconds) ? seconds : 0;
}

/** `12 s ago`, `in 48 s`, `now` */
export function formatRelative(iso: string, nowIso: string): string {
  const seconds = Math.round(secondsBetween(iso, nowIso));
  if (seconds === 0) return "now";
  return seconds > 0 ? `${formatDuration(seconds)} ago` : `in ${formatDuration(-seconds)}`;
}

/** `in 48 s`; `due now` if the time has come and nothing shows that it has happened. */
export function formatDue(iso: string, nowIso: string): string {
  return secondsBetween(iso, nowIso) >= -0.5 ? "due now" : formatRelative(iso, nowIso);
}

export function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

const BYTE_UNITS = ["bytes", "KB", "MB", "GB", "TB"] as const;

/** `837 bytes`, `1.2 GB`: in steps of 1,024, as databases count them. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let step = 0;
  while (value >= 1_000 && step < BYTE_UNITS.length - 1) {
    value /= 1_024;
    step += 1;
  }
  const digits = step === 0 || value >= 100 ? 0 : 1;
  return `${value.toLocaleString("en-US", { maximumFractionDigits: digits })} ${BYTE_UNITS[step]}`;
}
