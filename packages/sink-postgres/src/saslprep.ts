/**
 * Prepares a password for SCRAM as Postgres and libpq do (SASLprep, RFC 4013): invisible characters are removed, and equivalent
 * ones become the same. If the RFC forbids a password, both use it unchanged, and so do we.
 */
import {
  LEFT_TO_RIGHT,
  MAPPED_TO_NOTHING,
  PROHIBITED,
  RIGHT_TO_LEFT,
  SPACES,
  type Table,
  UNASSIGNED,
} from "./stringprep-tables.ts";

export function saslprep(password: string): string {
  // ASCII is not changed, printable or not; half a surrogate pair is not UTF-8.
  if (isAscii(password) || !password.isWellFormed()) return password;
  // A zero-width space is in both tables; Postgres turns it into a space.
  const mapped = Array.from(password)
    .map((char) => (isIn(SPACES, char) ? " " : char))
    .filter((char) => !isIn(MAPPED_TO_NOTHING, char))
    .join("");
  const prepared = mapped.normalize("NFKC");
  return prepared === "" || isForbidden(Array.from(prepared)) ? password : prepared;
}

function isForbidden(chars: readonly string[]): boolean {
  if (chars.some((char) => isIn(PROHIBITED, char) || isIn(UNASSIGNED, char))) return true;
  if (!chars.some((char) => isIn(RIGHT_TO_LEFT, char))) return false;
  // Right-to-left text must begin and end with such a character, and contain no left-to-right one.
  return (
    [chars.at(0), chars.at(-1)].some((char) => !isIn(RIGHT_TO_LEFT, char ?? "")) ||
    chars.some((char) => isIn(LEFT_TO_RIGHT, char))
  );
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

/** Binary search: the tables are sorted. */
function isIn(table: Table, char: string): boolean {
  const code = char.codePointAt(0) ?? -1;
  let [low, high] = [0, table.length - 1];
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const [from, to] = table[middle] ?? [0, 0];
    if (code < from) high = middle - 1;
    else if (code > to) low = middle + 1;
    else return true;
  }
  return false;
}
