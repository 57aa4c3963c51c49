/** The four figures that matter while a run works: events, pace, queue, memory. Each is a section of the page. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import type { Course } from "../course.ts";
import { hostCounts } from "../repos-text.ts";
import { formatCount, formatDuration, formatRate, formatRateOrDash, formatRelative, sumOf } from "../format.ts";
import type { Snapshot, SnapshotRepos } from "../snapshot.ts";
import { type ControlsShown, redriveControl } from "./controls.ts";
import { html, nothing, trusted, type Markup } from "./markup.ts";
import { coursePlot } from "./course-plot.ts";

export function eventsPanel(snapshot: Snapshot, shown: ControlsShown): Markup {
  const { received, processed, skipped, dead, deadReasons } = snapshot;
  return panel(
    "events",
    "Events",
    html`<p class="figure">${formatCount(processed)} <span class="unit">processed</span></p>
      ${shares([
        ["processed", processed],
        ["skipped", sumOf(skipped)],
        ["dead", dead],
      ])}
      <dl>
        ${[
          pair("Received", formatCount(received)),
          pair("Skipped", formatCount(sumOf(skipped))),
          ...reasons(skipped),
          html`<div class="${dead > 0 ? "bad" : ""}">
            <dt>Dead</dt>
            <dd>${formatCount(dead)}${dead > 0 ? redriveControl(snapshot, shown) : null}</dd>
          </div>`,
          ...reasons(deadReasons),
        ]}
      </dl>
      ${dead > 0 && !shown.hasDeadPage ? DEAD_LISTED : nothing}`,
  );
}

/** Where the page has no database, it cannot list them. */
const DEAD_LISTED = html`<p class="quiet">
  To list dead events: <code>firehose-backfill dead</code>, with the DATABASE_URL of the run.
</p>`;

function reasons(counts: Readonly<Record<string, number>>): readonly Markup[] {
  const sorted = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  return sorted.map(([reason, count]) => pair(reason, formatCount(count), "sub"));
}

export function pacePanel(snapshot: Snapshot, course: Course): Markup {
  const { ratePerSecond, averageRatePerSecond, allowedRatePerSecond, memory, tunes } = snapshot;
  const unpaced = snapshot.runId === null ? "" : "no pacing";
  const allowed = allowedRatePerSecond === null ? unpaced : `of ${formatRate(allowedRatePerSecond)} allowed`;
  return panel(
    "pace",
    "Pace",
    html`<p class="figure">${formatRateOrDash(ratePerSecond)} <span class="unit">events/s ${allowed}</span></p>
      ${allowedRatePerSecond === null || ratePerSecond === null ? nothing : gauge("Rate against the allowed rate", ratePerSecond, allowedRatePerSecond, 1.05)}
      <dl>
        ${[
          pair("On average", `${formatRateOrDash(averageRatePerSecond)} events/s`),
          pair("Back-off", memory.backOff > 1 ? `x ${memory.backOff}` : "none", memory.backOff > 1 ? "warn" : ""),
          tunes.some(({ pending }) => pending) ? pair("Tune", "pending until the next batch", "warn") : nothing,
        ]}
      </dl>
      ${coursePlot({
        course,
        valueOf: (point) => point.ratePerSecond,
        reference: { name: "allowed", of: (point) => point.allowedRatePerSecond },
        unit: "events/s",
        label: "Rate over time and the allowed rate, in events a second",
        format: formatRate,
      })}`,
  );
}

export function queuePanel(snapshot: Snapshot, course: Course, shown: ControlsShown): Markup {
  const { queue } = snapshot;
  const depth = queue.ready + queue.inFlight + queue.delayed;
  return panel(
    "queue",
    "Queue",
    html`<p class="figure">${formatCount(depth)} <span class="unit">${depth === 1 ? "batch" : "batches"}</span></p>
      <dl>
        ${[
          pair("Ready", formatCount(queue.ready)),
          pair("In flight", formatCount(queue.inFlight)),
          pair("Delayed", formatCount(queue.delayed)),
          pair("Oldest", queue.oldestAgeSeconds === null ? "--" : formatDuration(queue.oldestAgeSeconds)),
          html`<div class="${queue.deadLetters > 0 ? "bad" : ""}">
            <dt>Dead letters</dt>
            <dd>${formatCount(queue.deadLetters)}${snapshot.dead > 0 ? null : redriveControl(snapshot, shown)}</dd>
          </div>`,
        ]}
      </dl>
      ${coursePlot({
        course,
        valueOf: (point) => point.depth,
        unit: "batches",
        label: "Batches in the queue over time",
        format: formatRate,
      })}`,
  );
}

export function memoryPanel(snapshot: Snapshot, course: Course): Markup {
  const { memory, consumers, pool, at } = snapshot;
  const used = memory.usedMb === null ? "--" : formatCount(memory.usedMb);
  const limit = memory.limitMb === null ? "MB" : `of ${formatCount(memory.limitMb)} MB`;
  return panel(
    "memory",
    "Memory and consumers",
    html`<p class="figure">${used} <span class="unit">${limit}</span></p>
      ${memory.usedMb === null || memory.limitMb === null ? nothing : gauge("Memory against its limit", memory.usedMb, memory.limitMb, 1)}
      <dl>
        ${[
          pair("Pauses", pauses(memory, at), memory.pauses > 0 ? "warn" : ""),
          pair("Batches at work", `${consumers.active} of ${consumers.max}`),
          pair("Connections", `${pool.used} of ${pool.size}`),
        ]}
      </dl>
      ${coursePlot({
        course,
        valueOf: (point) => point.memoryMb,
        reference: { name: "limit now", of: () => memory.limitMb },
        unit: "MB",
        label: "Memory over time and its limit, in MB",
        format: formatCount,
      })}`,
  );
}

/** Of a run that looks up handles. How many accounts there are, nobody knows before the end. */
function handlesPanel({ done, failed }: SnapshotRepos): Markup {
  return panel(
    "repos",
    "Handles",
    html`<p class="figure">${formatCount(done)} <span class="unit">looked up</span></p>
      <dl>${pair("No answer", formatCount(failed), failed > 0 ? "warn" : "")}</dl>`,
  );
}

/** Of a run over repositories: how many are done, and which hosts have trouble. */
export function reposPanel({ repos, hosts, source }: Snapshot): Markup {
  if (repos === null) return nothing;
  if (source === "handles") return handlesPanel(repos);
  const { known, done, inWork, deferred, failed } = repos;
  return panel(
    "repos",
    "Repositories",
    html`<p class="figure">${formatCount(done)} <span class="unit">of ${formatCount(known)} done</span></p>
      <dl>
        ${[
          pair("In work", formatCount(inWork)),
          pair("Wait for their hosts", formatCount(deferred), deferred > 0 ? "warn" : ""),
          pair("Failed", formatCount(failed), failed > 0 ? "bad" : ""),
          ...hosts.map((host) =>
            pair(escapeForLog(host.host), hostCounts(host), host.waitingUntil === null ? "sub" : "warn"),
          ),
        ]}
      </dl>`,
    { isLong: true },
  );
}

/** A section with a heading, whose content the page's script updates. A long one has its own scroll bar and can be reached by keyboard. */
export function panel(id: string, title: string, content: Markup, { isLong = false } = {}): Markup {
  return html`<section class="panel" aria-labelledby="${id}-title" ${isLong ? html`tabindex="0"` : nothing}>
    <h2 id="${id}-title">${title}</h2>
    <div id="${id}" data-live>${content}</div>
  </section>`;
}

export function pair(name: string, value: string, mood = ""): Markup {
  return html`<div class="${mood}">
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}

function pauses(memory: Snapshot["memory"], at: string): string {
  return memory.lastPauseAt === null
    ? formatCount(memory.pauses)
    : `${formatCount(memory.pauses)}, last ${formatRelative(memory.lastPauseAt, at)}`;
}

function gauge(label: string, value: number, max: number, tolerated: number): Markup {
  const mood = value > max * tolerated ? "over" : "within";
  return html`<progress class="${mood}" aria-label="${label}" max="${max}" value="${Math.min(value, max)}"></progress>`;
}

function shares(parts: readonly (readonly [string, number])[]): Markup {
  const total = parts.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return nothing;
  let left = 0;
  const bars = parts.map(([name, count]) => {
    const width = (count / total) * 100;
    const bar = `<rect class="share-${name}" x="${left.toFixed(2)}%" width="${width.toFixed(2)}%" height="4"/>`;
    left += width;
    return bar;
  });
  return html`<svg class="shares" aria-hidden="true" width="100%" height="4">${trusted(bars.join(""))}</svg>`;
}
