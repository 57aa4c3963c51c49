/** HTML from templates in which every value is escaped unless it is markup already, so that nobody can forget to escape. */
export interface Markup {
  readonly markup: string;
}

type Value = string | number | Markup | null | false | readonly Markup[];

/** null and false give nothing; numbers and text are escaped; markup and lists of it are inserted unchanged. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Markup {
  let markup = strings[0] ?? "";
  values.forEach((value, index) => {
    markup += render(value) + (strings[index + 1] ?? "");
  });
  return { markup };
}

/** Markup of our own: style sheet, script, drawing. Never text from the network. */
export function trusted(markup: string): Markup {
  return { markup };
}

export const nothing: Markup = { markup: "" };

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function render(value: Value): string {
  if (value === null || value === false) return "";
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  return "markup" in value ? value.markup : value.map(({ markup }) => markup).join("");
}
