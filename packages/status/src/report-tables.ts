/** What a report lists besides the figures: gaps, repositories, requests for resyncs, the last audit. Each is left out where there is nothing. Pure. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { missingBefore } from "./asked.ts";
import { auditText } from "./audit-lines.ts";
import { formatCount, formatTime } from "./format.ts";
import { html, type Markup, nothing } from "./html/markup.ts";
import { currentText, hostCounts } from "./repos-text.ts";
import type { Snapshot } from "./snapshot.ts";

/** A section with one row for each name and its value. */
export function namedValues(title: string, rows: readonly (readonly [name: string, value: string])[]): Markup {
  return html`<section>
    <h2>${title}</h2>
    <table>
      ${rows.map(
        ([name, value]) =>
          html`<tr>
            <th scope="row">${name}</th>
            <td>${value}</td>
          </tr>`,
      )}
    </table>
  </section>`;
}

export function gaps(snapshot: Snapshot): Markup {
  const { gaps: missing } = snapshot;
  if (missing.length === 0) return nothing;
  return html`<section>
    <h2>Gaps: what the relay no longer had</h2>
    ${missingBefore(snapshot) === null ? nothing : html`<p>Less than was asked for: the relay keeps no more than this run began with.</p>`}
    <table>
      <tr>
        <th scope="col">From</th>
        <th scope="col">To</th>
        <th scope="col">Why</th>
      </tr>
      ${missing.map(
        ({ from, to, reason }) =>
          html`<tr>
            <td>${positionText(from)}</td>
            <td>${positionText(to)}</td>
            <td>${escapeForLog(reason)}</td>
          </tr>`,
      )}
    </table>
  </section>`;
}

/** Of a run over repositories: how far it is, and the hosts with the most trouble. */
export function repositories({ repos, hosts }: Snapshot): Markup {
  if (repos === null) return nothing;
  const { known, done, inWork, deferred, failed } = repos;
  const rows: readonly (readonly [string, string])[] = [
    ["Done", `${formatCount(done)} of ${formatCount(known)}`],
    ["In work", formatCount(inWork)],
    ["Reading", currentText(repos) ?? "--"],
    ["Wait for their hosts", formatCount(deferred)],
    ["Failed", `${formatCount(failed)}${failed === 0 ? "" : ": each is a dead event; redrive reads it anew"}`],
    ...hosts.map((host) => [escapeForLog(host.host), hostCounts(host)] as const),
  ];
  return namedValues("Repositories", rows);
}

export function resyncs({ resyncs: { count, done, first } }: Snapshot): Markup {
  if (count === 0 && done === 0) return nothing;
  return html`<section>
    <h2>Repositories to be read anew: ${formatCount(count)}</h2>
    <p>
      ${formatCount(done)} were read anew until now. The program reads the others by itself, in a run called
      <code>resync</code>. <code>firehose-backfill resyncs</code> lists all of them.
    </p>
    <table>
      <tr>
        <th scope="col">Repository</th>
        <th scope="col">Why</th>
        <th scope="col">Since</th>
        <th scope="col">Read by</th>
      </tr>
      ${first.map(
        ({ did, reason, at, takenBy }) =>
          html`<tr>
            <td>${escapeForLog(did)}</td>
            <td>${escapeForLog(reason)}</td>
            <td>${formatTime(at)}</td>
            <td>${takenBy === null ? "" : escapeForLog(takenBy)}</td>
          </tr>`,
      )}
    </table>
  </section>`;
}

export function audit({ audit: last }: Snapshot): Markup {
  if (last === null) return nothing;
  return html`<section>
    <h2>Last audit</h2>
    <p>${auditText(last)}</p>
    ${
      last.first.length === 0
        ? nothing
        : html`<table>
            <tr>
              <th scope="col">Repository</th>
              <th scope="col">Verdict</th>
              <th scope="col">Missing</th>
              <th scope="col">Extra</th>
              <th scope="col">Other CID</th>
            </tr>
            ${last.first.map(
              ({ did, verdict, missing, extra, other }) =>
                html`<tr>
                  <td>${escapeForLog(did)}</td>
                  <td>${escapeForLog(verdict)}</td>
                  <td>${formatCount(missing)}</td>
                  <td>${formatCount(extra)}</td>
                  <td>${formatCount(other)}</td>
                </tr>`,
            )}
          </table>`
    }
  </section>`;
}

export function positionText(position: Snapshot["cursor"]["start"]): string {
  return position === null ? "--" : `${formatTime(position.time)} UTC, ${position.seq}`;
}
