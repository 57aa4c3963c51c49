/** What the forms of the page are made of: a sheet that opens under its button, labelled fields, the choice of a profile. */
import { PROFILES } from "@firehose-backfill/core/config/profiles";
import { html, type Markup } from "./markup.ts";

/** `focus`: the slot that gets the focus. */
export function disclosure(id: string, label: string, content: Markup, focus: string | null): Markup {
  return html`<details name="control" id="${id}">
    <summary class="button" data-slot="${id}" ${id === focus ? html` autofocus` : null}>${label}</summary>
    <div class="sheet">${content}</div>
  </details>`;
}

export function profileField(id: string, name: string, unchanged: string): Markup {
  return field(
    id,
    "Profile",
    html`<select id="${id}" name="${name}">
      <option value="">${unchanged}</option>
      ${Object.keys(PROFILES).map((profile) => html`<option>${profile}</option>`)}
    </select>`,
  );
}

export function field(id: string, label: string, input: Markup): Markup {
  return html`<div class="field"><label for="${id}">${label}</label>${input}</div>`;
}
