/**
 * Parses the text of a `.env` file to names and values. Node's own parser skips lines that it does not understand, but a lost
 * RELAY_URL or DATABASE_URL would start a run on the wrong host or database. So each line is understood, or refused by its number.
 * A problem never quotes the file: a line may contain a password.
 */
import { definitionNamed, SETTINGS } from "./definitions.ts";
import { withoutBom } from "./file-text.ts";
import { nearestSetting } from "./problems.ts";

export interface DotEnv {
  readonly values: ReadonlyMap<string, string>;
  /** Complete sentences, each with its line number. Empty: the whole file is understood. */
  readonly problems: readonly string[];
}

interface Assignment {
  readonly name: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*(.*)$/;
const QUOTES = `"'\``;
const CURLY_QUOTE = /^[\u2018-\u201f\u00ab\u00bb\u2039\u203a\uff02\uff07]/;
const MIN_NEAR_CHARS = 5;
/** `BACKFIL_`, `BAKFILL_`, `BACK_FILL_`: these names are meant for this program, whatever follows. */
const PREFIX_SLIP = /^(?:BACKFIL|BAKFILL|BACFILL|BCKFILL|ACKFILL|BACKFLL|BACKILL|BACKFILLS|BACK_FILL|BACKFILLL)_/;
const FORM = "a line is NAME=value, a comment that begins with #, or empty";

/** `env`: names that the real environment has; a similar name belongs to another program. */
export function parseDotEnv(text: string, env: Readonly<Record<string, string | undefined>> = {}): DotEnv {
  const lines = withoutBom(text).split(/\r\n|\n|\r/);
  const found: Assignment[] = [];
  const problems: string[] = [];
  const refuse = (line: number, what: string) => problems.push(`.env line ${line}: ${what}`);
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1;
    const source = lines[index] ?? "";
    if (/^\s*(?:#.*)?$/s.test(source)) continue;
    const [, name, rest] = ASSIGNMENT.exec(source) ?? [];
    if (name === undefined || rest === undefined) {
      refuse(line, whyNoAssignment(source));
      continue;
    }
    const quoted = QUOTES.includes(rest[0] ?? "-") ? readQuoted(lines, index, rest) : null;
    if (quoted !== null && "problem" in quoted) {
      refuse(line, `${nameFor(name)}${quoted.problem}`);
      if (quoted.lastIndex !== null) index = quoted.lastIndex;
      continue;
    }
    const value = quoted === null ? rest.replace(/#.*$/s, "").trim() : quoted.value;
    const problem = quoted === null && isOurs(name) ? whyUnclear(name, rest) : null;
    if (problem !== null) refuse(line, problem);
    for (const swallowed of quoted === null ? [] : settingsIn(lines, index + 1, quoted.lastIndex))
      refuse(swallowed.line, `${swallowed.name} stands inside the quotes of ${name}, which open in line ${line}`);
    found.push({ name, value, line });
    if (quoted !== null) index = quoted.lastIndex;
  }
  const values = new Map(found.map(({ name, value }) => [name, value]));
  for (const { name, line } of found) {
    const meant = meantBy(name);
    // If the right name is set, a similar name belongs to another program.
    if (meant === null || values.has(meant) || env[meant] !== undefined) continue;
    refuse(line, `${name} is not a setting; did you mean ${meant}? If another program needs it, set ${meant} too`);
  }
  for (const { name, first, second } of contradictions(found))
    refuse(second, `${name} has another value than in line ${first}; keep one of them`);
  return { values, problems };
}

/** Whether the name is a setting, or can only be a misspelled one. */
export function isOurs(name: string): boolean {
  return name.startsWith("BACKFILL_") || definitionNamed(name) !== null;
}

/** Shows only a setting's name: any other text may be a part of a secret. */
function nameFor(name: string): string {
  return isOurs(name) ? `${name} ` : "the value ";
}

type Quoted =
  | { readonly value: string; readonly lastIndex: number }
  | { readonly problem: string; readonly lastIndex: number | null };

/** `rest` begins with the quote. Inside double quotes `\n` is a line break, as in Node; nothing else is escaped. */
function readQuoted(lines: readonly string[], index: number, rest: string): Quoted {
  const quote = rest.charAt(0);
  const held: string[] = [];
  let text = rest.slice(1);
  for (let at = index; ;) {
    const end = text.indexOf(quote);
    if (end >= 0) {
      if (!/^\s*(?:#.*)?$/s.test(text.slice(end + 1)))
        return {
          problem: "goes on after its closing quote; put the whole value into one pair of quotes",
          lastIndex: at,
        };
      held.push(text.slice(0, end));
      const value = held.join("\n");
      return { value: quote === '"' ? value.replaceAll(String.raw`\n`, "\n") : value, lastIndex: at };
    }
    held.push(text);
    at += 1;
    const next = lines[at];
    if (next === undefined) return { problem: "opens a quote that is never closed", lastIndex: null };
    text = next;
  }
}

function settingsIn(lines: readonly string[], from: number, to: number) {
  return lines.slice(from, to + 1).flatMap((source, offset) => {
    const name = ASSIGNMENT.exec(source)?.[1];
    return name !== undefined && isOurs(name) ? [{ name, line: from + offset + 1 }] : [];
  });
}

/** Why the meaning of a value without quotes may differ from what it looks like; null: it is clear. */
function whyUnclear(name: string, rest: string): string | null {
  if (CURLY_QUOTE.test(rest)) return `${name} begins with a typographic quote; use " or '`;
  return /[^\s]#/.test(rest.replace(/\s#.*$/s, ""))
    ? `${name} holds a #, which would begin a comment there; put the value into quotes`
    : null;
}

function whyNoAssignment(source: string): string {
  const setting = SETTINGS.find(({ name }) => new RegExp(`^[^\\w]*(?:export\\s+)?${name}(?!\\w)`, "u").test(source));
  const about = setting === undefined ? "it is not understood" : `${setting.name} is not understood`;
  if (/^\s*(?:export\s+)?[\w.-]+\s*:/.test(source)) return `${about}: write NAME=value, not NAME: value`;
  if (/^\s*(?:set|setx|\$env:)/i.test(source)) return `${about}: write NAME=value, without set or $env:`;
  if (/[^\x20-\x7e\t]/.test(source.split("=", 1).join())) {
    return `${about}: there is a character before the value that only looks like a space, a letter or an equals sign; ${FORM}`;
  }
  return `${about}: ${FORM}`;
}

/** The setting that this name must be a misspelling of: other case, other separators, one letter missing. null: none. */
function meantBy(name: string): string | null {
  if (isOurs(name)) return null;
  const spelled = name.toUpperCase().replaceAll(/[.-]/g, "_");
  if (isOurs(spelled)) return spelled;
  const { name: near, distance } = nearestSetting(spelled);
  // A short name is similar to everything.
  if (distance <= 2 && near.length > MIN_NEAR_CHARS) return near;
  return PREFIX_SLIP.test(spelled) ? spelled.replace(PREFIX_SLIP, "BACKFILL_") : null;
}

function contradictions(found: readonly Assignment[]) {
  const first = new Map<string, Assignment>();
  return found.flatMap((each) => {
    const earlier = first.get(each.name);
    if (earlier === undefined) first.set(each.name, each);
    if (earlier === undefined || earlier.value === each.value || !isOurs(each.name)) return [];
    return [{ name: each.name, first: earlier.line, second: each.line }];
  });
}
