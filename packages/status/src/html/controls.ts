/**
 * The operator's buttons, as plain forms that POST to `/control`: they work without a script and with the keyboard only.
 * Actions that the run's status does not allow are disabled and say why. parse-control-form.ts parses the forms.
 * Each control has a slot. After an action, what is in the same slot then has the focus: Resume is where Pause was.
 */
import { ACTIONS, permissionFor, type Action } from "../actions.ts";
import { tunableSettings } from "../tunable.ts";
import type { Snapshot } from "../snapshot.ts";
import { disclosure, field, profileField } from "./form-parts.ts";
import { html, type Markup } from "./markup.ts";
import { startForm } from "./start-form.ts";

export interface ControlsShown {
  /** The run that the forms name; null: there is only one. */
  readonly run: string | null;
  /** The action that was just done by a form without a script; null: none. */
  readonly after: string | null;
  /** There is a page of dead events to link to. Where there is none, the page says how they are listed. */
  readonly hasDeadPage: boolean;
}

interface Shown extends ControlsShown {
  readonly snapshot: Snapshot;
  /** The slot that gets the focus; null: none. */
  readonly focus: string | null;
}

export function controls(snapshot: Snapshot, options: ControlsShown): Markup {
  const canResume = permissionFor("resume", snapshot).allowed;
  const isOver = permissionFor("start", snapshot).allowed;
  const shown: Shown = { ...options, snapshot, focus: focusAfter(options.after, snapshot) };
  return html`<div class="controls" role="group" aria-label="Controls">
    ${
      isOver
        ? [startForm(snapshot, { focus: shown.focus })]
        : [
            canResume ? button("resume", "Resume", shown, "button primary") : button("pause", "Pause", shown),
            button("tick", "Tick now", shown),
            tuneForm(shown),
            moreForm(shown),
            cancelForm(shown),
          ]
    }
  </div>`;
}

const SLOTS: Readonly<Record<Action, string>> = {
  start: "start",
  pause: "go",
  "pause-now": "more",
  resume: "go",
  cancel: "cancel",
  tune: "tune",
  tick: "tick",
  redrive: "redrive",
};

/** The slot of the action; if what is there now is disabled, the first one that is not. null: no action was done. */
function focusAfter(after: string | null, snapshot: Snapshot): string | null {
  const action = ACTIONS.find((known) => known === after);
  if (action === undefined) return null;
  const isAllowed = (one: Action) => permissionFor(one, snapshot).allowed;
  if (isAllowed("start")) return "start";
  const open = new Set(ACTIONS.filter(isAllowed).map((one) => SLOTS[one])).add("more");
  const slot = SLOTS[action];
  return open.has(slot) ? slot : (["go", "tick", "tune"].find((other) => open.has(other)) ?? "more");
}

/** Beside the number of dead events. */
export function redriveControl(snapshot: Snapshot, options: ControlsShown): Markup | null {
  if (!permissionFor("redrive", snapshot).allowed) return null;
  const focus = options.after === "redrive" ? "redrive" : null;
  const { dead, runId } = snapshot;
  // Dead batches are in the queue, and no page shows them.
  const link =
    dead === 0 || runId === null || !options.hasDeadPage
      ? null
      : html` <a href="/dead?run=${encodeURIComponent(runId)}">show</a>`;
  return html`${link} ${button("redrive", "Redrive", { ...options, snapshot, focus })}`;
}

function button(
  action: Action,
  label: string,
  shown: Shown,
  name = "button",
  slot: string | null = SLOTS[action],
): Markup {
  const permission = permissionFor(action, shown.snapshot);
  const refusal = permission.allowed ? null : html` disabled title="Not now: ${permission.because}"`;
  const place = slot === null ? null : html` data-slot="${slot}"`;
  const focus = slot !== null && slot === shown.focus ? html` autofocus` : null;
  return html`<form method="post" action="/control">
    ${runField(shown)}<button
      class="${name}"
      id="do-${action}"
      name="action"
      value="${action}"
      ${place}${refusal}${focus}
    >
      ${label}
    </button>
  </form>`;
}

function runField({ run }: ControlsShown): Markup | null {
  return run === null ? null : html`<input type="hidden" name="run" value="${run}" />`;
}

function cancelForm(shown: Shown): Markup {
  if (!permissionFor("cancel", shown.snapshot).allowed) return button("cancel", "Cancel", shown);
  return disclosure(
    "cancel",
    "Cancel…",
    html`<p>
        <b>Cancel this run?</b> What is applied stays in the database. What is still in the queue is thrown away, and
        the run cannot be resumed.
      </p>
      ${button("cancel", "Yes, cancel the run", shown, "button danger", null)}`,
    shown.focus,
  );
}

function moreForm(shown: Shown): Markup {
  const resume = permissionFor("resume", shown.snapshot).allowed;
  return disclosure(
    "more",
    "More…",
    html`<p>
        Pause applies the batches that are in the queue. Pause now does not apply them; resume reads their events again.
      </p>
      ${button("pause-now", "Pause now", shown, "button", null)}
      <form method="post" action="/control">
        ${runField(shown)}<input type="hidden" name="action" value="resume" />
        ${field("resume-from", "Resume from", html`<input id="resume-from" name="from" placeholder="oldest, live, a sequence number or a time" required${resume ? null : html` disabled`} />`)}
        <button
          class="button"
          id="send-resume"
          ${resume ? null : html` disabled title="Not now: the run is not paused"`}
        >
          Resume from there
        </button>
      </form>`,
    shown.focus,
  );
}

function tuneForm(shown: Shown): Markup {
  const { snapshot } = shown;
  if (!permissionFor("tune", snapshot).allowed) return button("tune", "Tune", shown);
  return disclosure(
    "tune",
    "Tune…",
    html`<form method="post" action="/control">
      ${runField(shown)}<input type="hidden" name="action" value="tune" />
      <p>Leave empty what should stay. Slower acts from the next batch on, faster from the next tick on.</p>
      <div class="fields">
        ${profileField("tune-BACKFILL_PROFILE", "BACKFILL_PROFILE", `stays ${snapshot.profile ?? ""}`)}
        ${tunableSettings().map((setting) => {
          const now = snapshot.settings[setting.name]?.value ?? "";
          const id = `tune-${setting.name}`;
          return field(
            id,
            setting.label,
            setting.kind === "flag"
              ? html`<select id="${id}" name="${setting.name}">
                  <option value="">stays ${String(now)}</option>
                  <option>true</option>
                  <option>false</option>
                </select>`
              : html`<input
                  id="${id}"
                  name="${setting.name}"
                  inputmode="numeric"
                  title="${setting.takes}"
                  placeholder="${String(now)}"
                />`,
          );
        })}
      </div>
      <button class="button primary" id="send-tune">Tune</button>
    </form>`,
    shown.focus,
  );
}
