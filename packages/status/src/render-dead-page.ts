/**
 * The page of dead events: which, why, what happened to them before, and forms to redrive or discard them. It has no script.
 * Everything in it is escaped; `contentSecurityPolicy(nonce)` of render-html.ts goes with it.
 */
import { type DeadEventJson, isHandedOver, printableJson } from "@firehose-backfill/backfill/dead-event-json";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { formatCount, formatTime, sumOf } from "./format.ts";
import { html, nothing, trusted, type Markup } from "./html/markup.ts";
import { STYLES } from "./html/styles.ts";

/** What the address asks for. */
export interface DeadQuery {
  readonly run?: string;
  readonly reason?: string;
  readonly id?: string;
  /** Also those that a redrive has applied. */
  readonly applied: boolean;
  /** The place of the last one of the page before. */
  readonly after?: string;
}

export interface DeadPage {
  readonly query: DeadQuery;
  readonly events: readonly DeadEventJson[];
  /** Those that are still dead, of the run that was asked for, by reason. */
  readonly counts: Readonly<Record<string, number>>;
  /** `after` of the next page. null: this is the last one. */
  readonly next: string | null;
}

export interface DeadPageOptions {
  readonly nonce: string;
  /** The answer to a form. */
  readonly notice?: { readonly ok: boolean; readonly text: string };
}

const MORE_STYLES = `
@media (min-width:1100px) and (min-height:680px){body{height:auto;display:block}main{display:block}}
h2.reason-line{font-size:14px;letter-spacing:0;text-transform:none;color:var(--ink);overflow-wrap:anywhere}
.dead-event{padding:12px 0;border-bottom:1px solid var(--line)}
.dead-event p{overflow-wrap:anywhere}
.dead-event details,.filter details{position:static}
.filter .sheet,.dead-event .sheet{position:static;width:auto;box-shadow:none}
.filter{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:end;padding:12px 0;border-bottom:1px solid var(--line)}
.filter form{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:end}
.filter .check{margin:0;min-height:34px}
.acts{display:flex;flex-wrap:wrap;gap:8px;align-items:flex-start;margin-top:8px}
pre{margin:8px 0 0;padding:10px;background:var(--fill);border-radius:6px;max-height:480px;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;font:12px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
`;

/** Of one event's JSON, in a list and alone. */
const MAX_CHARS = { list: 3_000, alone: 200_000 };

export function renderDeadPage(page: DeadPage, { nonce, notice }: DeadPageOptions): string {
  const { query, events } = page;
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Dead events - firehose-backfill</title>
        <style nonce="${nonce}">
          ${trusted(STYLES + MORE_STYLES)}
        </style>
      </head>
      <body>
        <header class="masthead">
          <h1>Dead events</h1>
          <p><a href="/">Back to the status page</a></p>
        </header>
        <main>
          ${answer(notice?.text ?? "", { isRefusal: notice?.ok === false, page: deadAddress(query) })}
          ${query.id === undefined ? head(page) : html`<p><a href="${deadAddress({ ...query, id: undefined })}">All dead events</a></p>`}
          ${events.length === 0 ? html`<p class="notice">${query.id === undefined ? "No event is dead here." : "No dead event has this id. It may have been discarded."}</p>` : nothing}
          ${events.map((event) => deadEvent(event, query))}
          ${page.next === null ? nothing : html`<p class="acts"><a class="button" href="${deadAddress({ ...query, after: page.next })}">Next page</a></p>`}
        </main>
      </body>
    </html> `;
  return document.markup;
}

/** It lies above the page, so that nothing is elsewhere than before the form was sent. */
function answer(text: string, { isRefusal, page }: { readonly isRefusal: boolean; readonly page: string }): Markup {
  return html`<div class="answer">
    <p class="${isRefusal ? "notice failed" : "notice"}" role="status">${text}</p>
    <a href="${page}">Close</a>
  </div>`;
}

function head({ query, counts }: DeadPage): Markup {
  const total = sumOf(counts);
  const of = query.run === undefined ? "of all runs" : `of run ${escapeForLog(query.run, 80)}`;
  return html`<p class="notice">
      ${formatCount(total)} kept ${of}. A run may count more than are kept here: discarded events, and batches in the
      dead-letter queue, are counted as dead, too.
    </p>
    <div class="filter" role="group" aria-label="Filter and all of them">
      <form method="get" action="/dead">
        ${query.run === undefined ? nothing : html`<input type="hidden" name="run" value="${query.run}" />`}
        <div class="field">
          <label for="reason">Reason</label>
          <select id="reason" name="reason">
            <option value="">all reasons</option>
            ${reasonsOf(query, counts).map(([reason, count]) => option(reason, count, query.reason === reason))}
          </select>
        </div>
        <label class="check"
          ><input type="checkbox" name="applied" value="1" ${query.applied ? html`checked` : nothing} /> also those that
          were applied since</label
        >
        <button class="button">Show</button>
      </form>
      ${total === 0 ? nothing : html`${redriveAll(query, counts)}${discardAll(query, counts)}`}
      ${query.run === undefined ? nothing : html`<a href="/dead">Those of all runs</a>`}
    </div>`;
}

function reasonsOf({ reason }: DeadQuery, counts: DeadPage["counts"]): readonly (readonly [string, number])[] {
  const known = Object.entries(counts);
  return reason === undefined || Object.hasOwn(counts, reason) ? known : [...known, [reason, 0]];
}

function option(reason: string, count: number, isChosen: boolean): Markup {
  return html`<option value="${reason}" ${isChosen ? html`selected` : nothing}>
    ${escapeForLog(reason, 80)} (${formatCount(count)})
  </option>`;
}

/** Those of the reason that is shown; without one, everything that is dead, batches too. */
function redriveAll(query: DeadQuery, counts: DeadPage["counts"]): Markup {
  const { reason, run } = query;
  if (reason === undefined) return form(query, "redrive", {}, "Redrive all that is dead");
  const count = counts[reason] ?? 0;
  if (count === 0) return nothing;
  const fields = { reason, ...(run === undefined ? {} : { run }) };
  return form(query, "redrive", fields, `Redrive these ${formatCount(count)}`);
}

function discardAll(query: DeadQuery, counts: DeadPage["counts"]): Markup {
  const { reason, run } = query;
  const count = reason === undefined ? sumOf(counts) : (counts[reason] ?? 0);
  if (count === 0) return nothing;
  const which = reason === undefined ? "" : ` with the reason ${escapeForLog(reason, 80)}`;
  const fields = { ...(reason === undefined ? { all: "true" } : { reason }), ...(run === undefined ? {} : { run }) };
  return confirmed(
    "discard-all",
    reason === undefined ? "Discard all…" : `Discard these ${formatCount(count)}…`,
    html`<b>Discard ${formatCount(count)} dead events${which}?</b> They cannot be redriven any more. This cannot be
      undone.`,
    form({ ...query, after: undefined }, "discard", fields, `Yes, discard ${formatCount(count)}`, "button danger"),
  );
}

function deadEvent(event: DeadEventJson, query: DeadQuery): Markup {
  const { id, runId, reason, seq, did, path, error, createdAt, appliedAt, canBeRedriven } = event;
  const about = [seq === 0 ? null : `seq ${seq}`, did, path].filter((part) => part !== null);
  return html`<article class="dead-event" aria-labelledby="of-${id}">
    <h2 class="reason-line" id="of-${id}">
      ${escapeForLog(reason, 80)} <span class="quiet">${about.map((part) => escapeForLog(part, 300)).join(" · ")}</span>
    </h2>
    <p>${escapeForLog(error, 1_000)}</p>
    <p class="quiet">
      Dead since ${formatTime(createdAt)} UTC, ${beforeOf(event)}. Run
      <a href="${deadAddress({ run: runId, applied: query.applied })}">${escapeForLog(runId, 80)}</a>, id
      <a href="${deadAddress({ id, applied: true })}"><code>${id}</code></a>
    </p>
    ${json(event, query.id !== undefined)}
    <div class="acts">
      ${canBeRedriven ? form(query, "redrive", { id }, "Redrive") : nothing}
      ${
        appliedAt === null
          ? confirmed(
              `discard-${id}`,
              "Discard…",
              html`<b>Discard this dead event?</b> It cannot be redriven any more. This cannot be undone.`,
              form(query, "discard", { id }, "Yes, discard it", "button danger"),
            )
          : nothing
      }
    </div>
  </article>`;
}

function beforeOf(dead: DeadEventJson): string {
  const { redrivenAt, appliedAt, appliedBy, eventBytes } = dead;
  if (appliedAt !== null && isHandedOver(dead)) return `requested to be read anew ${formatTime(appliedAt)} UTC`;
  if (appliedAt !== null)
    return `applied ${formatTime(appliedAt)} UTC by batch ${escapeForLog(appliedBy ?? "unknown", 80)}`;
  if (eventBytes === null && dead.canBeRedriven) return "a redrive reads the repository anew";
  if (eventBytes === null) return "cannot be redriven, because no complete event was received";
  return redrivenAt === null ? "never redriven" : `redriven ${formatTime(redrivenAt)} UTC and not applied`;
}

function json(event: DeadEventJson, isAlone: boolean): Markup {
  const { event: decoded, payload, eventBytes } = event;
  const isLeftOut = decoded === null && eventBytes !== null && !isAlone;
  const text = printableJson(decoded ?? payload ?? null, 2);
  const most = isAlone ? MAX_CHARS.alone : MAX_CHARS.list;
  const shown =
    text.length > most
      ? `${text.slice(0, most).toWellFormed()}… (${formatCount(text.length - most)} more characters)`
      : text;
  const note = isLeftOut
    ? html`<p class="quiet">The event has ${formatCount(eventBytes)} bytes. Open its id to see all of it.</p>`
    : nothing;
  const title = decoded === null ? "What is kept of it" : "The event as JSON";
  return html`<details ${isAlone ? html`open` : nothing}>
    <summary class="button">${title}</summary>
    ${note}
    <pre tabindex="0">${shown}</pre>
  </details>`;
}

function confirmed(id: string, label: string, question: Markup, yes: Markup): Markup {
  return html`<details id="${id}">
    <summary class="button">${label}</summary>
    <div class="sheet">
      <p>${question}</p>
      ${yes}
    </div>
  </details>`;
}

/** The answer is shown on the page that the form was on. */
function form(
  query: MaybeQuery,
  action: "redrive" | "discard",
  fields: Readonly<Record<string, string>>,
  label: string,
  look = "button",
): Markup {
  const hidden = Object.entries({ ...fields, back: deadAddress(query) });
  return html`<form method="post" action="/control">
    ${hidden.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
    <button class="${look}" name="action" value="${action}">${label}</button>
  </form>`;
}

type MaybeQuery = { readonly [K in keyof DeadQuery]: DeadQuery[K] | undefined };

function deadAddress({ run, reason, id, applied, after }: MaybeQuery): string {
  const search = new URLSearchParams();
  const given = { run, reason, id, applied: applied === true ? "1" : undefined, after };
  for (const [name, value] of Object.entries(given)) if (value !== undefined) search.set(name, value);
  return search.size === 0 ? "/dead" : `/dead?${search.toString()}`;
}
