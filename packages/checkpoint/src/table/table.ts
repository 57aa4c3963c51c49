/**
 * The port between the store and where its items are: six calls, and the items, conditions and changes that they take,
 * as plain values. Two adapters understand them: dynamo-table.ts writes them in DynamoDB's language, memory-table.ts
 * evaluates them. One test (conformance.test.ts) holds the second to what an emulator of DynamoDB says of the first.
 */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** What an attribute holds. Numbers are finite; the fields of a map are numbers and texts. */
export type Value = string | number | boolean | Uint8Array | Readonly<Record<string, number | string>>;

/** Read items have their key in `pk` and `sk`. */
export type Item = Readonly<Record<string, Value>>;

/** Names an item in an error. */
export function nameOf({ pk, sk }: Item): string {
  return `item ${typeof pk === "string" ? pk : "?"} ${typeof sk === "string" ? sk : "?"}`;
}

/** What an update sets; null removes the attribute. */
export type Attributes = Readonly<Record<string, Value | null>>;

export interface Change {
  readonly set?: Attributes;
  /** Whole numbers, added to what is there; an attribute that is not there counts as 0. */
  readonly add?: Readonly<Record<string, number>>;
}

/**
 * `path` is the name of an attribute, or names a field of a map: `readerCursor.seq`. A comparison with what is not there,
 * or is of another type, does not hold.
 */
export type Condition =
  | { readonly kind: "equals"; readonly path: string; readonly value: string | number | boolean }
  | { readonly kind: "compare"; readonly path: string; readonly operator: Operator; readonly value: number }
  | { readonly kind: "exists" | "absent"; readonly path: string }
  /** At least one condition. */
  | { readonly kind: "all" | "any"; readonly conditions: readonly Condition[] };

export type Operator = "<" | "<=" | ">=";

export interface Range {
  readonly pk: string;
  /** Sort keys, both inclusive, in the order of their characters; keys are ASCII. */
  readonly from: string;
  readonly to: string;
  /** At least 1. Unlimited unless told. */
  readonly limit?: number;
}

/**
 * A condition that does not hold is an answer, not an error. Every method @throws TableError when the table cannot be
 * reached, and when it refuses what it is asked: an item above 400 KB, a key above its size, a number added to a text.
 *
 * @NOTE DynamoDB's SDK repeats a call whose answer was lost. A conditional write that did succeed then comes back as one
 * whose condition does not hold. Each caller of `put` and `update` reads what is stored then, or is safe to repeat, or documents the effect.
 */
export interface Table {
  /** Consistent. null: there is no such item. */
  get(key: Key): Promise<Item | null>;
  /** Each consistent, with one request; not of one moment. As many answers as keys, in their order. At most 100 different keys. */
  getMany(keys: readonly Key[]): Promise<(Item | null)[]>;
  /** Replaces the whole item. false: the condition does not hold. */
  put(key: Key, item: Item, condition?: Condition): Promise<boolean>;
  /** The item after it; null: the condition does not hold. Creates the item unless the condition forbids it. */
  update(key: Key, change: Change, condition?: Condition): Promise<Item | null>;
  /** false: the condition does not hold. An item that is not there is deleted already. */
  delete(key: Key, condition?: Condition): Promise<boolean>;
  /** Consistent, in the order of the sort keys. */
  query(range: Range): Promise<Item[]>;
}
