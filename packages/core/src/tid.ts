/** The time in a TID, which a repository's revisions are: microseconds since the epoch, then a clock's id. Nobody vouches for it. */

const ALPHABET = "234567abcdefghijklmnopqrstuvwxyz";
const TIME_CHARS = 11;
const SHAPE = /^[234567a-j][234567a-z]{12}$/;

/** Milliseconds; null: it is no TID. */
export function tidTimeMs(tid: string): number | null {
  if (!SHAPE.test(tid)) return null;
  let micros = 0;
  for (const char of tid.slice(0, TIME_CHARS)) micros = micros * ALPHABET.length + ALPHABET.indexOf(char);
  return micros / 1000;
}
