/** DATABASE_URL: checked for shape, and shown without its password or its parameters. */
import { escapeForLog } from "../log-lines.ts";
import { type Kind, type Parsed } from "./kinds.ts";

export const databaseUrl: Kind<string> = {
  takes: "postgres://user:password@host[:port]/database",
  parse: parseDatabaseUrl,
  show: redact,
  showHeld: redact,
};

function parseDatabaseUrl(text: string): Parsed<string> {
  const url = readDatabaseUrl(text);
  return url === null ? { problem: "not a URL of Postgres" } : { value: text };
}

/** null where the text is not surely understood: then nothing of it may be shown, as it may hold a password anywhere. */
function readDatabaseUrl(text: string): URL | null {
  if (!/^postgres(?:ql)?:\/\//.test(text) || /\s/.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.hostname === "") return null;
  // A slash, a question mark or a hash in a password that is not percent-encoded ends the host part too early.
  const authority = text
    .slice(text.indexOf("//") + 2)
    .split(/[/?#]/, 1)
    .join();
  const isCutShort = !authority.includes("@") && text.includes("@");
  return isCutShort || url.hash !== "" ? null : url;
}

/** `user@host/database`, the port where one is given. */
function redact(text: string): string {
  const url = readDatabaseUrl(text);
  if (url === null) return "(not shown: it may hold a password)";
  const user = url.username === "" ? "" : `${url.username}@`;
  return escapeForLog(`${user}${url.host}${url.pathname}`);
}
