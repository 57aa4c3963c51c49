/** BACKFILL_COLLECTIONS and BACKFILL_DIDS: lists, given in place or in a file. An empty list means everything. */
import { describeError } from "../errors.ts";
import { escapeForLog } from "../log-lines.ts";
import { type Kind, type ParseContext, type Parsed, quoteHeld } from "./kinds.ts";

const SHOWN_ITEMS = 10;
const REPORTED_ITEMS = 3;

const SEGMENT = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const AUTHORITY = `[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.${SEGMENT})*`;
const NSID = new RegExp(`^${AUTHORITY}\\.${SEGMENT}\\.[a-zA-Z][a-zA-Z0-9]{0,62}$`);
const NSID_PREFIX = new RegExp(`^${AUTHORITY}\\.\\*$`);
const DID = /^did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]$/;

/** A collection's name, such as `app.bsky.feed.post`. */
export function isNsid(text: string): boolean {
  return text.length <= 317 && NSID.test(text);
}

export function isDid(text: string): boolean {
  return text.length <= 2_048 && DID.test(text);
}

export const collections: Kind<readonly string[]> = list(
  "collections such as app.bsky.feed.post or app.bsky.feed.*, separated by commas, or @file",
  (item) => isNsid(item) || (item.length <= 317 && NSID_PREFIX.test(item)),
);

export const dids: Kind<readonly string[]> = list("DIDs such as did:plc:abc, separated by commas, or @file", isDid);

function list(takes: string, isItem: (text: string) => boolean): Kind<readonly string[]> {
  return {
    takes,
    parse: (text, context) => {
      const source = text.startsWith("@") ? readListFile(text.slice(1), context) : { value: text };
      return "problem" in source ? source : parseItems(source.value, isItem);
    },
    show: (items) => {
      if (items.length === 0) return null;
      const shown = items.slice(0, SHOWN_ITEMS).join(",");
      return items.length <= SHOWN_ITEMS ? shown : `${shown} and ${items.length - SHOWN_ITEMS} more`;
    },
    showHeld: quoteHeld,
  };
}

/** In a file, each item may be on its own line, and `#` begins a comment. */
function readListFile(path: string, context: ParseContext): Parsed<string> {
  if (context.readFile === null) return { problem: "a file cannot be named here" };
  try {
    return { value: context.readFile(path).replace(/#.*$/gm, "") };
  } catch (error) {
    return { problem: `the file cannot be read: ${describeError(error)}` };
  }
}

function parseItems(text: string, isItem: (text: string) => boolean): Parsed<readonly string[]> {
  const items = [...new Set(text.split(/[\s,]+/).filter((item) => item !== ""))];
  // An empty list would mean everything, which the operator surely did not want.
  if (items.length === 0) return { problem: "the list is empty" };
  const wrong = items.filter((item) => !isItem(item));
  if (wrong.length === 0) return { value: items };
  const shown = wrong.slice(0, REPORTED_ITEMS).map((item) => `"${escapeForLog(item, 60)}"`);
  const more = wrong.length > REPORTED_ITEMS ? ` and ${wrong.length - REPORTED_ITEMS} more` : "";
  return { problem: `not one: ${shown.join(", ")}${more}` };
}
