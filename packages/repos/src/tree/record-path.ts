/**
 * Keys of the tree: `collection/rkey`, checked where they stand. What may stand in a collection's name or a record key beyond
 * that is asked where records are taken on: a tree with an odd name in it is a sound tree.
 */

/** What atproto allows a key of the tree. */
export const MAX_PATH_LENGTH = 1_024;

const SLASH = 0x2f;
const ALLOWED = pathBytes();

/**
 * Looks at the bytes between two offsets, which follow a prefix that was looked at before. `slash` is where the slash stands in
 * the key, or -1. Returns it for the whole key; -2: not allowed in a key, or a second slash.
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
