/** The log of a run on its page: who did what, the newest first. Closed at first. */
import { actionLog, type ActionLogEntry } from "../action-log.ts";
import { formatCount, formatRelative } from "../format.ts";
import type { Snapshot } from "../snapshot.ts";
import { html, nothing, type Markup } from "./markup.ts";

export function logPanel(snapshot: Snapshot): Markup {
  const { at } = snapshot;
  const entries = actionLog(snapshot).toReversed();
  const [last] = entries;
  return html`<section class="log-row" id="log" aria-label="Who did what" data-live>
    ${
      last === undefined
        ? html`<p class="quiet">Nobody has done anything to this run.</p>`
        : html`<details id="log-all">
            <summary class="button">Who did what (${formatCount(entries.length)})</summary>
            <ul class="log">
              ${entries.map((entry) => line(entry, at))}
            </ul>
          </details>`
    }
  </section>`;
}

function line({ at, what, by, detail }: ActionLogEntry, now: string): Markup {
  return html`<li>
    <b>${what}</b> by ${by} <time datetime="${at}">${formatRelative(at, now)}</time>${
      detail === "" ? nothing : html`<br />${detail}`
    }
  </li>`;
}
