/** The progress of a run on one line: where it began, what is applied, what is read, where it ends. */
import { formatPercent, formatTime, secondsBetween } from "../format.ts";
import { goalText, shareDone, shareText } from "../headline.ts";
import type { Snapshot } from "../snapshot.ts";
import { html, trusted, type Markup } from "./markup.ts";

export function track(snapshot: Snapshot): Markup {
  const applied = shareDone(snapshot);
  const reader = readerProgress(snapshot);
  const percent = applied === null ? null : (Math.floor(applied * 1_000) / 10).toString();
  const text =
    applied === null
      ? goalText(snapshot)
      : snapshot.status === "succeeded" && snapshot.dead > 0
        ? shareText(snapshot)
        : `${formatPercent(applied)} ${goalText(snapshot)}`;
  return html`<div
      class="track"
      role="progressbar"
      aria-label="Progress by event time"
      aria-valuemin="0"
      aria-valuemax="100"
      ${percent === null ? null : html` aria-valuenow="${percent}"`}
      aria-valuetext="${text}"
    >
      <svg aria-hidden="true" width="100%" height="14">
        ${trusted(
          `<rect class="track-all" y="4" width="100%" height="6" rx="3"/>${bar("track-reader", reader)}${bar("track-applied", applied)}${mark(reader)}`,
        )}
      </svg>
    </div>
    ${ends(snapshot)}`;
}

function bar(name: string, share: number | null): string {
  return share === null || share <= 0
    ? ""
    : `<rect class="${name}" y="4" width="${toPercent(share)}" height="6" rx="3"/>`;
}

function mark(share: number | null): string {
  return share === null
    ? ""
    : `<rect class="track-mark" x="${toPercent(share)}" y="1" width="2" height="12" transform="translate(-1 0)"/>`;
}

function toPercent(share: number): string {
  return `${(Math.min(1, share) * 100).toFixed(2)}%`;
}

/** The reader is ahead of the applied events; its position on the bar uses the same scale. */
function readerProgress(snapshot: Snapshot): number | null {
  const {
    progress,
    cursor: { start, applied, reader },
  } = snapshot;
  if (snapshot.status === "succeeded") return null;
  if (progress === null || start === null || applied === null || reader === null) return null;
  const toApplied = secondsBetween(start.time, applied.time);
  if (toApplied <= 0 || progress <= 0) return null;
  return Math.min(1, Math.max(progress, (progress * secondsBetween(start.time, reader.time)) / toApplied));
}

/** Begin and end of what the bar is a share of. */
function ends(snapshot: Snapshot): Markup {
  const { goal, progress } = snapshot;
  if (goal === null || progress === null || goal.by === "repos")
    return html`<p class="track-ends"><span>${goalText(snapshot)}</span></p>`;
  const end = (value: string) =>
    goal.by === "time" ? html`<time datetime="${value}">${formatTime(value)}</time>` : html`seq ${value}`;
  const what = goal.by === "time" ? "by event time, UTC" : "by sequence number";
  return html`<p class="track-ends">
    <span>from ${end(goal.from)}</span><span>${what}</span><span>to ${end(goal.to)}</span>
  </p>`;
}
