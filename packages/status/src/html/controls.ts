/**
 * The operator's buttons, as plain forms that POST to `/control`: they work without a script and with the keyboard only.
 * Actions that the run's status does not allow are disabled and say why. parse-control-form.ts parses the forms.
 */
import { PROFILES } from "@firehose-backfill/core/config/profiles";
import { permissionFor, type Action } from "../actions.ts";
import { tunableSettings } from "../tunable.ts";
import type { Snapshot } from "../snapshot.ts";
import { html, type Markup } from "./markup.ts";

export function controls(snapshot: Snapshot): Markup {
  const canResume = permissionFor("resume", snapshot).allowed;
  const isOver = permissionFor("start", snapshot).allowed;
  return html`<div class="controls" role="group" aria-label="Controls">
    ${
      isOver
        ? [startForm(snapshot)]
        : [
            canResume ? resumeForm(snapshot) : button("pause", "Pause", snapshot),
            button("tick", "Tick now", snapshot),
            tuneForm(snapshot),
            moreForm(snapshot),
            cancelForm(snapshot),
          ]
    }
  </div>`;
}

/** Beside the number of dead events. */
export function redriveControl(snapshot: Snapshot): Markup | null {
  if (!permissionFor("redrive", snapshot).allowed) return null;
  const { dead, runId } = snapshot;
  // Dead batches are in the queue, and no page shows them.
  const link = dead === 0 || runId === null ? null : html` <a href="/dead?run=${encodeURIComponent(runId)}">show</a>`;
  return html`${link} ${button("redrive", "Redrive", snapshot)}`;
}

function button(action: Action, label: string, snapshot: Snapshot, name = "button"): Markup {
  const permission = permissionFor(action, snapshot);
  const refusal = permission.allowed ? null : html` disabled title="Not now: ${permission.because}"`;
  return html`<form method="post" action="/control">
    <button class="${name}" id="do-${action}" name="action" value="${action}" ${refusal}>${label}</button>
  </form>`;
}

function resumeForm(snapshot: Snapshot): Markup {
  return button("resume", "Resume", snapshot, "button primary");
}

function disclosure(id: string, label: string, content: Markup): Markup {
  return html`<details name="control" id="${id}">
    <summary class="button">${label}</summary>
    <div class="sheet">${content}</div>
  </details>`;
}

function cancelForm(snapshot: Snapshot): Markup {
  if (!permissionFor("cancel", snapshot).allowed) return button("cancel", "Cancel", snapshot);
  return disclosure(
    "cancel",
    "Cancel…",
    html`<p>
        <b>Cancel this run?</b> What is applied stays in the database. What is still in the queue is thrown away, and
        the run cannot be resumed.
      </p>
      ${button("cancel", "Yes, cancel the run", snapshot, "button danger")}`,
  );
}

function moreForm(snapshot: Snapshot): Markup {
  const resume = permissionFor("resume", snapshot).allowed;
  return disclosure(
    "more",
    "More…",
    html`<p>
        Pause applies the batches that are in the queue. Pause now does not apply them; resume reads their events again.
      </p>
      ${button("pause-now", "Pause now", snapshot)}
      <form method="post" action="/control">
        <input type="hidden" name="action" value="resume" />
        ${field("resume-from", "Resume from", html`<input id="resume-from" name="from" placeholder="oldest, live, a sequence number or a time" required${resume ? null : html` disabled`} />`)}
        <button class="button" ${resume ? null : html` disabled title="Not now: the run is not paused"`}>
          Resume from there
        </button>
      </form>`,
  );
}

function tuneForm(snapshot: Snapshot): Markup {
  if (!permissionFor("tune", snapshot).allowed) return button("tune", "Tune", snapshot);
  return disclosure(
    "tune",
    "Tune…",
    html`<form method="post" action="/control">
      <input type="hidden" name="action" value="tune" />
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
                  pattern="[0-9]*"
                  placeholder="${String(now)}"
                />`,
          );
        })}
      </div>
      <button class="button primary">Tune</button>
    </form>`,
  );
}

function startForm(snapshot: Snapshot): Markup {
  return disclosure(
    "start",
    snapshot.status === "none" ? "Start a run…" : "Start a new run…",
    html`<form method="post" action="/control">
      <input type="hidden" name="action" value="start" />
      <p>Leave empty what the settings say already.</p>
      <div class="fields">
        ${[
          field(
            "start-days",
            "Days back",
            html`<input
              id="start-days"
              name="days"
              inputmode="numeric"
              placeholder="${configured(snapshot, "BACKFILL_DAYS")}"
            />`,
          ),
          profileField("start-profile", "profile", "as configured"),
          field(
            "start-from",
            "From",
            html`<input id="start-from" name="from" placeholder="oldest, a number or a time" />`,
          ),
          field("start-to", "To", html`<input id="start-to" name="to" placeholder="a number or a time" />`),
          field(
            "start-collections",
            "Collections",
            html`<input
              id="start-collections"
              name="collections"
              placeholder="${configured(snapshot, "BACKFILL_COLLECTIONS") || "all"}"
            />`,
          ),
          field(
            "start-dids",
            "DIDs",
            html`<input id="start-dids" name="dids" placeholder="${configured(snapshot, "BACKFILL_DIDS") || "all"}" />`,
          ),
        ]}
      </div>
      <label class="check"
        ><input type="checkbox" name="dryRun" value="true" /> Dry run: only say what it would do</label
      >
      <button class="button primary">Start</button>
    </form>`,
  );
}

function configured(snapshot: Snapshot, name: string): string {
  const value = snapshot.settings[name]?.value;
  return value === undefined || value === null ? "" : String(value).slice(0, 60);
}

function profileField(id: string, name: string, unchanged: string): Markup {
  return field(
    id,
    "Profile",
    html`<select id="${id}" name="${name}">
      <option value="">${unchanged}</option>
      ${Object.keys(PROFILES).map((profile) => html`<option>${profile}</option>`)}
    </select>`,
  );
}

function field(id: string, label: string, input: Markup): Markup {
  return html`<div class="field"><label for="${id}">${label}</label>${input}</div>`;
}
