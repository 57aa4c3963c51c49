/** BACKFILL_OFF_PEAK: `22:00-06:00 Europe/Berlin fast`, a daily window in the local time of that zone. */
import { type Kind, type Parsed, quoteHeld } from "./kinds.ts";
import { type OffPeak, PROFILE_NAMES } from "./settings.ts";

const GRAMMAR = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)\s+(\S+)\s+(\S+)$/;

export const offPeak: Kind<OffPeak> = {
  takes: `HH:MM-HH:MM, a time zone and a profile, such as 22:00-06:00 Europe/Berlin fast`,
  parse: parseOffPeak,
  show: (value) => `${timeOfDay(value.fromMinute)}-${timeOfDay(value.toMinute)} ${value.timeZone} ${value.profile}`,
  showHeld: quoteHeld,
};

/**
 * Whether `nowMs` is inside the window; its first minute is included, its last excluded. A window whose end is before its
 * beginning crosses midnight. An hour that daylight saving skips or repeats is skipped or repeated here, too.
 */
export function isOffPeak(window: OffPeak, nowMs: number): boolean {
  const minute = minuteOfDay(window.timeZone, nowMs);
  return window.fromMinute < window.toMinute
    ? minute >= window.fromMinute && minute < window.toMinute
    : minute >= window.fromMinute || minute < window.toMinute;
}

function parseOffPeak(text: string): Parsed<OffPeak> {
  const [, fromHour, fromMinute, toHour, toMinute, timeZone = "", profileName] = GRAMMAR.exec(text) ?? [];
  if (timeZone === "") return { problem: "" };
  const profile = PROFILE_NAMES.find((name) => name === profileName);
  if (profile === undefined) return { problem: `the profile is one of ${PROFILE_NAMES.join(", ")}` };
  if (!isTimeZone(timeZone)) return { problem: "no time zone of that name" };
  const from = Number(fromHour) * 60 + Number(fromMinute);
  const to = Number(toHour) * 60 + Number(toMinute);
  if (from === to) return { problem: "the window is empty" };
  return { value: { fromMinute: from, toMinute: to, timeZone, profile } };
}

function isTimeZone(timeZone: string): boolean {
  try {
    wallClock(timeZone);
    return true;
  } catch {
    return false;
  }
}

function minuteOfDay(timeZone: string, nowMs: number): number {
  const parts = wallClock(timeZone).formatToParts(nowMs);
  const read = (type: "hour" | "minute") => Number(parts.find((part) => part.type === type)?.value);
  return read("hour") * 60 + read("minute");
}

let latest: { readonly timeZone: string; readonly format: Intl.DateTimeFormat } | null = null;

/** Cached: creating one costs more than using it, and a process has one window. */
function wallClock(timeZone: string): Intl.DateTimeFormat {
  if (latest?.timeZone !== timeZone) {
    const format = new Intl.DateTimeFormat("en", { timeZone, hour: "numeric", minute: "numeric", hourCycle: "h23" });
    latest = { timeZone, format };
  }
  return latest.format;
}

function timeOfDay(minute: number): string {
  const pad = (number: number) => String(number).padStart(2, "0");
  return `${pad(Math.floor(minute / 60))}:${pad(minute % 60)}`;
}
