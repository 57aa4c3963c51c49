/** The range that a run was asked to fetch, and how far back it really begins. Pure; every view uses these words. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import { BEFORE_KEPT } from "@firehose-backfill/backfill/start-gap";
import { formatDuration, formatTime, secondsBetween } from "./format.ts";
import type { Asked, Snapshot } from "./snapshot.ts";

const DAY_MS = 86_400_000;

/** `scope` null: no longer known. */
export function askedOf(run: Pick<Run, "start" | "createdAtMs">, scope: Pick<ScopeSettings, "days"> | null): Asked {
  const { start, createdAtMs } = run;
  switch (start.kind) {
    case "time": {
      const isByDays = scope !== null && start.timeMs === createdAtMs - scope.days * DAY_MS;
      return { days: isByDays ? scope.days : null, from: new Date(start.timeMs).toISOString() };
    }
    case "seq":
      return { days: null, from: String(start.seq) };
    case "oldest":
      return { days: -1, from: "oldest" };
    case "live":
      return { days: null, from: "live" };
    default: {
      const unreachable: never = start;
      return unreachable;
    }
  }
}

/** `30 days back, from 2026-01-01 00:00:00 UTC` */
export function askedText({ days, from }: Asked): string {
  if (from === "oldest") return "everything that the host keeps";
  if (from === "live") return "what comes from now on";
  if (/^\d+$/.test(from)) return `from sequence number ${from}`;
  const back = days === null ? "" : `${days} ${days === 1 ? "day" : "days"} back, `;
  return `${back}from ${formatTime(from)} UTC`;
}

/** `from 2026-01-28 00:00:00 UTC, 3 d back` */
export function hadText({ cursor, startedAt }: Pick<Snapshot, "cursor" | "startedAt">): string {
  if (cursor.start === null) return "nothing has been read yet";
  const back = startedAt === null ? 0 : secondsBetween(cursor.start.time, startedAt);
  return `from ${formatTime(cursor.start.time)} UTC${back > 0 ? `, ${formatDuration(back)} back` : ""}`;
}

/** The requested range that the host did not have when the run began. null: it had all of it, or this is not known yet. */
export function missingBefore({ gaps }: Pick<Snapshot, "gaps">): Snapshot["gaps"][number] | null {
  return gaps.find(({ reason }) => reason === BEFORE_KEPT) ?? null;
}
