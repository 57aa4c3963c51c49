/** Keys by their time: a record key that is a TID carries the moment it was made; others carry none. */
import { isTid } from "@firehose-backfill/core/syntax";

const TID_LENGTH = 13;
const TID_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz";

/** The lowest TID of a moment: TIDs are compared as texts. */
export function tidAt(timeMs: number): string {
  // 53 bits of microseconds, 10 bits of a clock's id.
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
