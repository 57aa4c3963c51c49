/** Who did what to a run, in one list: what operators did, and every change of the pace, by whomever. Pure. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import type { Snapshot } from "./snapshot.ts";

export interface ActionLogEntry {
  /** ISO 8601. */
  readonly at: string;
  readonly what: string;
  /** `command`, `page`, `control event`, `start of the program`, `deploy`, `off-peak`, ... */
  readonly by: string;
  /** Escaped; may be empty. */
  readonly detail: string;
}

/** Oldest first. */
export function actionLog({ actions, tunes }: Pick<Snapshot, "actions" | "tunes">): readonly ActionLogEntry[] {
  const tuned = tunes.map(({ at, by, who, changes }) => ({
    at,
    what: "tune",
    by: by === "tune" ? (who ?? "operator") : (WHO[by] ?? by),
    detail: Object.entries(changes)
      .map(([name, { from, to }]) => `${name} ${String(from)} -> ${String(to)}`)
      .join(", "),
  }));
  return [...actions, ...tuned]
    .map(({ at, what, by, detail }) => ({
      at,
      what: escapeForLog(what),
      by: escapeForLog(by),
      detail: escapeForLog(detail),
    }))
    .toSorted((a, b) => a.at.localeCompare(b.at));
}

/** A run that goes on follows the settings of this start; a schedule changes the pace by the clock. */
const WHO: Readonly<Record<string, string>> = { resume: "start of the program", "off-peak": "schedule (off-peak)" };
