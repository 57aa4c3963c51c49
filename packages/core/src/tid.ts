/** The time in a TID, the form of a repository's revisions: microseconds since the epoch, then a clock id. Nobody checks that time. */

const ALPHABET = "234567abcdefghijklmnopqrstuvwxyz";
const TID_CHARS = 13;
const TIME_CHARS = 11;
const CLOCK_BITS = 10n;
const SHAPE = /^[234567a-j][234567a-z]{12}$/;

/** Milliseconds; null: not a TID. */
export function tidTimeMs(tid: string): number | null {
  if (!SHAPE.test(tid)) return null;
  let micros = 0;
  for (const char of tid.slice(0, TIME_CHARS)) micros = micros * ALPHABET.length + ALPHABET.indexOf(char);
  return micros / 1000;
}

/** The lowest TID of a moment: TIDs are compared as texts. */
export function tidAt(timeMs: number): string {
  let rest = BigInt(Math.max(0, Math.floor(timeMs * 1000))) << CLOCK_BITS;
  let text = "";
  for (let index = 0; index < TID_CHARS; index++) {
    text = ALPHABET.charAt(Number(rest & 31n)) + text;
    rest >>= 5n;
  }
  return text;
}
