/**
 * Parses a Postgres URL as libpq does, not as browsers do: `postgres://user@/db?host=/socket` names a host, and `+` is a
 * plus sign. If a user or password contains a raw `@`, `/`, `?`, `#` or `%`, the URL has more than one reading, so it is refused.
 * No message contains any part of the URL.
 */

export interface PostgresUrl {
  /** Decoded; "" if it is absent. */
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly params: ReadonlyMap<string, string>;
}

export type ReadPostgresUrl =
  | { readonly kind: "url"; readonly url: PostgresUrl }
  | { readonly kind: "problem"; readonly problem: string };

const ENCODE = "in a user or password, write % as %25, @ as %40, / as %2F, ? as %3F, # as %23 (%-encode them)";

export function readPostgresUrl(given: string): ReadPostgresUrl {
  const text = given.trim();
  const scheme = /^postgres(?:ql)?:\/\//i.exec(text)?.[0];
  if (scheme === undefined) return problem("must look like postgres://user:password@host:5432/database");
  const rest = text.slice(scheme.length);
  if (/\s/.test(rest)) return problem(`is not a valid URL: it holds white space; write a space as %20`);
  if (rest.includes("#")) return problem(`is not a valid URL: it holds a raw #; ${ENCODE}`);
  const [beforeQuery, query] = splitAt(rest, "?");
  const [authority, path] = splitAt(beforeQuery, "/");
  const at = authority.split("@");
  // If the authority has no @ and a later part has one, a raw / or ? has cut the password in two.
  const isCutShort = at.length === 1 && (path.includes("@") || query.includes("@")) && authority.includes(":");
  if (at.length > 2 || path.includes("@") || (isCutShort && !/:\d+$/.test(authority)) || isCutByQuery(at, rest))
    return problem(`is not a valid URL: it holds @, / or ? in a wrong position; ${ENCODE}`);
  if (/%(?![0-9a-f]{2})/i.test(rest))
    return problem(`holds a % that is not followed by two hexadecimal digits; ${ENCODE}`);
  const [credentials, hostAndPort = ""] = at.length === 2 ? at : ["", at[0]];
  if (hostAndPort.includes(","))
    return problem("is not a valid URL here: it names several hosts; name one, the primary or a pooler");
  const hostParts = /^(\[[^\]]*\]|[^:]*)(?::([^:]*))?$/.exec(hostAndPort);
  if (hostParts === null) return problem("is not a valid URL: an IPv6 address goes in brackets");
  const [user, password] = splitAt(credentials ?? "", ":");
  try {
    return {
      kind: "url",
      url: {
        user: decodeURIComponent(user),
        password: decodeURIComponent(password),
        host: decodeURIComponent(hostParts[1] ?? "").replace(/^\[(.*)\]$/, "$1"),
        port: hostParts[2] ?? "",
        database: decodeURIComponent(path),
        params: readParams(query),
      },
    };
  } catch {
    return problem(`holds a % and hexadecimal digits that are no UTF-8; ${ENCODE}`);
  }
}

/** `user:12?rest@host`: the text after the colon looks like a port, and the host is in the query. */
function isCutByQuery(at: readonly string[], rest: string): boolean {
  const [before, after] = splitAt(rest, "?");
  return at.length === 1 && after.includes("@") && !before.includes("/");
}

function readParams(query: string): ReadonlyMap<string, string> {
  return new Map(
    query
      .split("&")
      .filter((pair) => pair !== "")
      .map((pair) => {
        const [name, value] = splitAt(pair, "=");
        return [decodeURIComponent(name), decodeURIComponent(value)];
      }),
  );
}

/** Splits at the first mark. */
function splitAt(text: string, mark: string): readonly [string, string] {
  const index = text.indexOf(mark);
  return index === -1 ? [text, ""] : [text.slice(0, index), text.slice(index + mark.length)];
}

function problem(text: string): ReadPostgresUrl {
  return { kind: "problem", problem: text };
}
