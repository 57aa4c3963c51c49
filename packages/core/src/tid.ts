/** The time in a TID, the form of a repository's revisions: microseconds since the epoch, then a clock id. Nobody checks that time. */

const ALPHABET = "234567abcdefghijklmnopqrstuvwxyz";
const TIME_CHARS = 11;
const SHAPE = /^[234567a-j][234567a-z]{12}$/;

/** Milliseconds; null: not a TID. */
export function tidTimeMs(tid: string): number | null {
  if (!SHAPE.test(tid)) return null;
  let micros = 0;
  for (const char of tid.slice(0, TIME_CHARS)) micros = micros * ALPHABET.length + ALPHABET.indexOf(char);
  return micros / 1000;
}
