/**
 * A password as Postgres and libpq prepare it for SCRAM (SASLprep, RFC 4013): what is invisible goes, what looks the same
 * is the same. Where the RFC forbids a password both take it as it is, and so it is here.
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
  // Printable or not, ASCII is left alone; half a surrogate pair is no UTF-8.
  if (isAscii(password) || !password.isWellFormed()) return password;
  // A zero-width space is in both tables; Postgres makes it a space.
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
  // Text that runs from right to left must do so at both ends, and nothing in it the other way.
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
