/** The map keys that a scanner knows, encoded in CBOR. */

export interface KeyTable {
  /** Head and text of each key; a key's id is its index. In DAG-CBOR's order: by length, then bytes. */
  readonly encoded: readonly Uint8Array[];
}

/** The "previous key" of a map's first key. */
export const FIRST_KEY = -1;

/** `ids` numbers the keys in DAG-CBOR's order, from 0 on. They are constants, so that a `switch` over them compiles to a jump. */
export function keyTable(ids: Readonly<Record<string, number>>): KeyTable {
  const keys = Object.keys(ids).toSorted((left, right) => left.length - right.length || (left < right ? -1 : 1));
  const isInOrder = keys.every((key, id) => ids[key] === id && key.length < 24);
  if (!isInOrder) throw new TypeError(`keys in DAG-CBOR's order: ${keys.join(", ")}`);
  return { encoded: keys.map((key) => Buffer.from(`${String.fromCharCode(0x60 + key.length)}${key}`, "latin1")) };
}
