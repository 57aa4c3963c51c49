/** The time of a key: a record key that is a TID contains the moment when it was made; other keys have no time. */
import { isTid } from "@firehose-backfill/core/syntax";

const TID_LENGTH = 13;
const TID_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz";

/** The lowest TID of a moment; TIDs are compared as text. */
export function tidAt(timeMs: number): string {
  // A TID has 53 bits of microseconds and 10 bits of a clock id.
  let rest = BigInt(Math.max(0, Math.floor(timeMs * 1_000))) << 10n;
  let text = "";
  for (let index = 0; index < TID_LENGTH; index++) {
    text = TID_ALPHABET.charAt(Number(rest & 31n)) + text;
    rest >>= 5n;
  }
  return text;
}

/** Whether the key's record key is a TID below `sinceTid`. */
export function isOlder(key: string, sinceTid: string): boolean {
  const start = key.length - TID_LENGTH;
  if (start < 1 || key[start - 1] !== "/") return false;
  const rkey = key.slice(start);
  return rkey < sinceTid && isTid(Buffer.from(rkey, "latin1"), 0, TID_LENGTH);
}
