/** Map keys that a scanner knows, found by length and bytes without making a string. */

export interface KeyTable {
  /** Candidates by key length. */
  readonly byLength: readonly (readonly { readonly id: number; readonly bytes: Uint8Array }[] | undefined)[];
}

/** `ids` are numbers so that a `switch` over them compiles to a jump. */
export function keyTable(ids: Readonly<Record<string, number>>): KeyTable {
  const byLength: { id: number; bytes: Uint8Array }[][] = [];
  for (const [key, id] of Object.entries(ids)) {
    const bytes = Buffer.from(key, "latin1");
    (byLength[bytes.length] ??= []).push({ id, bytes });
  }
  return { byLength };
}

/** The id of the key between two offsets; -1: unknown. */
export function matchKey(table: KeyTable, bytes: Uint8Array, start: number, end: number): number {
  const candidates = table.byLength[end - start];
  if (candidates === undefined) return -1;
  next: for (const candidate of candidates) {
    const known = candidate.bytes;
    for (let at = 0; at < known.length; at++) {
      if (known[at] !== bytes[start + at]) continue next;
    }
    return candidate.id;
  }
  return -1;
}
