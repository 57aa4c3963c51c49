/** The form that begins a run. */
import { definitionOf } from "@firehose-backfill/core/config/definitions";
import type { Snapshot } from "../snapshot.ts";
import { disclosure, field, profileField } from "./form-parts.ts";
import { html, type Markup } from "./markup.ts";

/** `label`: where it is not about the run that is shown. */
export function startForm(
  snapshot: Pick<Snapshot, "status" | "settings">,
  { focus, label }: { readonly focus: string | null; readonly label?: string },
): Markup {
  return disclosure(
    "start",
    label ?? (snapshot.status === "none" ? "Start a run…" : "Start a new run…"),
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
              title="${definitionOf("days").kind.takes}"
              placeholder="${configured(snapshot, "BACKFILL_DAYS")}"
            />`,
          ),
          field("start-name", "Name", html`<input id="start-name" name="name" placeholder="none" />`),
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
      <button class="button primary" id="send-start">Start</button>
    </form>`,
    focus,
  );
}

function configured(snapshot: Pick<Snapshot, "settings">, name: string): string {
  const value = snapshot.settings[name]?.value;
  return value === undefined || value === null ? "" : String(value).slice(0, 60);
}
