/** The time of a key: a record key that is a TID contains the moment when it was made; other keys have no time. */
import { isTid } from "@firehose-backfill/core/syntax";

const TID_LENGTH = 13;

/** Whether the key's record key is a TID below `sinceTid`. */
export function isOlder(key: string, sinceTid: string): boolean {
  const start = key.length - TID_LENGTH;
  if (start < 1 || key[start - 1] !== "/") return false;
  const rkey = key.slice(start);
  return rkey < sinceTid && isTid(Buffer.from(rkey, "latin1"), 0, TID_LENGTH);
}
