/**
 * Turns a form of the status page into a control event, like those of the command line and the Lambda console.
 * It only builds the event; the control decides whether it is valid.
 */
import { settingValue } from "./setting-value.ts";

export type ControlFormEvent = { readonly action: string } & Readonly<Record<string, unknown>>;

const LISTS: ReadonlySet<string> = new Set(["collections", "dids"]);

const TEXTS: ReadonlySet<string> = new Set(["run", "name", "id", "reason"]);
/** The page that the form is on, if it is not the status page; no part of the event. */
const BACK = "back";

/** Where the answer to a form is shown. Only pages of ours are known. */
export function pageOfForm(form: URLSearchParams): string {
  const back = form.get(BACK) ?? "";
  return /^\/dead(?:\?[\w.%&=*+~-]*)?$/.test(back) ? back : "/";
}

/** Empty fields are left out: they mean "unchanged". Field names that are settings (BACKFILL_…) become `settings`. */
export function parseControlForm(form: URLSearchParams): ControlFormEvent {
  const event: Record<string, unknown> = {};
  const settings: Record<string, string | number | boolean> = {};
  for (const [name, raw] of form) {
    const text = raw.trim();
    if (text === "" || name === "action" || name === BACK) continue;
    if (/^[A-Z][A-Z_]*$/.test(name)) settings[name] = settingValue(text);
    // The id of a run is no number, whatever it looks like, and neither are a dead event's id and reason.
    else if (TEXTS.has(name)) event[name] = text;
    else event[name] = LISTS.has(name) ? splitList(text) : settingValue(text);
  }
  const action = form.get("action") ?? "";
  const run = event["run"] === undefined ? {} : { run: event["run"] };
  if (action === "redrive") return redriveOf(event);
  if (action === "pause-now") return { action: "pause", now: true, ...run };
  return action === "tune" ? { action, settings, ...run } : { action, ...event };
}

/** One dead event, those of a reason, or all of every run; with all of them, the page sends the run only so that it is shown again. */
function redriveOf({ id, reason, run }: Record<string, unknown>): ControlFormEvent {
  if (id !== undefined) return { action: "redrive", id };
  if (reason === undefined) return { action: "redrive" };
  return { action: "redrive", reason, ...(run === undefined ? {} : { run }) };
}

function splitList(text: string): readonly string[] {
  return text
    .split(/[\s,]+/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** All its fields were left empty. */
export function isEmptyTune({ action, settings }: ControlFormEvent): boolean {
  return action === "tune" && typeof settings === "object" && settings !== null && Object.keys(settings).length === 0;
}
