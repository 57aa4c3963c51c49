/**
 * The frame of every page that the server sends: head, style sheet, the answer to a form, script. No external request, everything
 * escaped. Without a script it reloads itself; with one it updates. The server sends it with `contentSecurityPolicy(nonce)`.
 */
import { html, nothing, trusted, type Markup } from "./markup.ts";
import { SCRIPT } from "./script.ts";
import { STYLES } from "./styles.ts";

export interface FrameOptions {
  /** The nonce of this response, for style sheet and script. */
  readonly nonce: string;
  /** The answer to a form that was sent without a script. */
  readonly notice?: Answer;
  /** Without a script, the page does not reload itself, so that a form can be filled in. Absent: there is no such choice. */
  readonly isStill?: boolean;
}

export interface Answer {
  readonly ok: boolean;
  readonly text: string;
  /** The control event's action: the control that takes its place gets the focus. */
  readonly action?: string;
}

export interface Page extends FrameOptions {
  readonly title: string;
  readonly at: string;
  /** The address of this page, without what concerns this response only: `/`, `/?run=ID&range=day`. */
  readonly path: string;
  readonly masthead: Markup;
  readonly main: Markup;
}

const RELOAD_SECONDS = 10;
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect y='6' width='16' height='4' rx='2' fill='%231d5fbf'/%3E%3C/svg%3E";

export function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "img-src data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

export function frame(page: Page): string {
  // An answer is shown once, not at each reload.
  const reload = page.notice === undefined ? String(RELOAD_SECONDS) : `${RELOAD_SECONDS}; url=${page.path}`;
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${page.title}</title>
        <link rel="icon" href="${ICON}" />
        ${page.isStill === true ? nothing : html`<noscript><meta http-equiv="refresh" content="${reload}" /></noscript>`}
        <style nonce="${page.nonce}">
          ${trusted(STYLES)}
        </style>
      </head>
      <body data-at="${page.at}" data-title="${page.title}">
        ${page.masthead}
        <main>
          ${answer(page.notice, page.path)}
          ${page.isStill === undefined ? nothing : withoutScript(page.isStill, page.path)} ${page.main}
        </main>
        <script nonce="${page.nonce}">
          ${trusted(SCRIPT)};
        </script>
      </body>
    </html> `;
  return document.markup;
}

/**
 * Always present, so that a screen reader announces an answer that the script inserts; not to be seen while it is empty. It lies above
 * the page, so that nothing moves when it comes and goes.
 */
function answer(notice: Answer | undefined, path: string): Markup {
  const mood = notice?.ok === false ? "notice failed" : "notice";
  const text = notice?.text ?? "";
  return html`<div class="answer">
    <p id="notice" class="${mood}" role="status">${text}</p>
    <a id="dismiss" href="${path}">Close</a>
  </div>`;
}

/** Filling in a form takes longer than a reload interval. The style sheet hides this line where there is a script. */
function withoutScript(isStill: boolean, path: string): Markup {
  const still = `${path}${path.includes("?") ? "&" : "?"}still`;
  const choice = isStill
    ? html`This page stands still. <a href="${path}">Let it reload itself</a>`
    : html`This page reloads itself every ${RELOAD_SECONDS} s. <a href="${still}">Let it stand still</a>, to fill in a
        form.`;
  return html`<p id="reloads" class="reloads">${choice}</p>`;
}
