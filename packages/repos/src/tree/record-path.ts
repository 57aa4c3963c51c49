/**
 * Checks keys of the tree (`collection/rkey`) in place. The finer rules for NSIDs and record keys are checked where records
 * are accepted: a tree that contains an odd name is still a valid tree.
 */

/** The longest key that atproto allows in a tree. */
export const MAX_PATH_LENGTH = 1_024;

const SLASH = 0x2f;
const ALLOWED = pathBytes();

/**
 * Checks the bytes between two offsets, which follow a prefix that is already checked. `slash` is the position of the slash in the
 * key, or -1. Returns the position for the whole key; -2: a byte that is not allowed, or a second slash.
 */
export function scanPathPart(
  bytes: Uint8Array,
  start: number,
  end: number,
  prefixLength: number,
  slash: number,
): number {
  let found = slash;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === SLASH) {
      if (found !== -1) return -2;
      found = prefixLength + at - start;
    } else if (ALLOWED[byte] !== 1) return -2;
  }
  return found;
}

function pathBytes(): Uint8Array {
  const table = new Uint8Array(256);
  const letters = "abcdefghijklmnopqrstuvwxyz";
  for (const char of `0123456789${letters}${letters.toUpperCase()}_~-:.`) table[char.charCodeAt(0)] = 1;
  return table;
}
