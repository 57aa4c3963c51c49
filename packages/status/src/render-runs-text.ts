/** Several runs as lines for a terminal: those that are open, as `status` shows them, and all of them, as `runs` does. Pure. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { runRows, runsHeadline, type RunRow } from "./run-row.ts";
import { type RunSummary, summaryFigures, summaryTimes } from "./run-summary.ts";
import type { Snapshot } from "./snapshot.ts";
import { MOOD_INK, type TextOptions } from "./render-text.ts";
import { type Ink, type Piece, terminalLine } from "./terminal.ts";

/** `snapshots`: of at least one open run, in the order in which they began. */
export function renderRunsText(snapshots: readonly Snapshot[], options: TextOptions): readonly string[] {
  const { text, mood } = runsHeadline(snapshots);
  const lines: (readonly Piece[])[] = [["firehose-backfill: ", { text, ink: MOOD_INK[mood] }]];
  for (const row of runRows(snapshots)) lines.push([""], ...rowLines(row));
  lines.push([""], [{ text: "One of them: firehose-backfill status --run ID", ink: "dim" }]);
  return lines.map((line) => terminalLine(line, options));
}

/** A line for each run: a block that is redrawn must not be higher than the terminal. */
export function renderRunsBlock(snapshots: readonly Snapshot[], options: TextOptions): readonly string[] {
  const { text, mood } = runsHeadline(snapshots);
  const lines = runRows(snapshots).map((row): readonly Piece[] => [
    { text: row.status, ink: MOOD_INK[row.mood] },
    ` ${row.share} ${escapeForLog(row.title)} on ${escapeForLog(row.source)}: ${row.rate}, lag ${row.lag}, waits for ${escapeForLog(row.waitsFor)}`,
  ]);
  const first: readonly Piece[] = ["firehose-backfill: ", { text, ink: MOOD_INK[mood] }];
  return [first, ...lines].map((line) => terminalLine(line, options));
}

function rowLines(row: RunRow): readonly (readonly Piece[])[] {
  const id = row.title === row.runId ? "" : ` (${escapeForLog(row.runId)})`;
  const detail = row.detail === "" ? "" : ` (${escapeForLog(row.detail)})`;
  return [
    [
      escapeForLog(row.title),
      id,
      ` on ${escapeForLog(row.source)}: `,
      { text: `${row.status}${detail}`, ink: MOOD_INK[row.mood] },
    ],
    [`  ${row.share}  rate ${row.rate}  lag ${row.lag}`],
    [`  waits for ${escapeForLog(row.waitsFor)}  falls off in ${row.fallsOff}`],
  ];
}

/** Newest first, as they are given. */
export function renderSummariesText(runs: readonly RunSummary[], options: TextOptions): readonly string[] {
  if (runs.length === 0) return ["No run yet. Begin one with: firehose-backfill start --days 1"];
  return runs.flatMap((run) => {
    const { runId, name, status, host, reason } = run;
    const who = name === null ? escapeForLog(runId) : `${escapeForLog(name)} (${escapeForLog(runId)})`;
    const why = reason === null ? "" : ` (${escapeForLog(reason)})`;
    return [
      terminalLine([who, ` on ${escapeForLog(host ?? "--")}: `, { text: status, ink: inkOf(run) }, why], options),
      terminalLine([`  ${summaryFigures(run)}; ${summaryTimes(run)}`], options),
    ];
  });
}

function inkOf({ status, dead }: RunSummary): Ink {
  if (status === "errored") return "red";
  if (dead > 0 || status === "paused") return "yellow";
  return status === "cancelled" ? "dim" : "green";
}
