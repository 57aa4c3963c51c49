/**
 * The port between the store and its items: seven calls, and the items, conditions and changes that they take,
 * as plain values. Two adapters implement it: dynamo-table.ts translates them into DynamoDB's language, memory-table.ts
 * evaluates them. One test (conformance.test.ts) compares the second with an emulator of DynamoDB.
 */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** The value of an attribute. Numbers are finite; the fields of a map are numbers and texts. */
export type Value = string | number | boolean | Uint8Array | Readonly<Record<string, number | string>>;

/** Items that were read have their key in `pk` and `sk`. */
export type Item = Readonly<Record<string, Value>>;

/** The item's name for errors. */
export function nameOf({ pk, sk }: Item): string {
  return `item ${typeof pk === "string" ? pk : "?"} ${typeof sk === "string" ? sk : "?"}`;
}

/** The values that an update sets; null removes the attribute. */
export type Attributes = Readonly<Record<string, Value | null>>;

export interface Change {
  readonly set?: Attributes;
  /** Whole numbers that are added to the stored ones; a missing attribute counts as 0. */
  readonly add?: Readonly<Record<string, number>>;
}

/**
 * `path` is the name of an attribute, or of a field of a map: `readerCursor.seq`. A comparison with a missing value, or with a
 * value of another type, is false.
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
  /** At least 1. Default: unlimited. */
  readonly limit?: number;
}

/**
 * A false condition is an answer, not an error. Every method @throws TableError if the table cannot be
 * reached or refuses the request: an item above 400 KB, a key that is too long, a number added to a text.
 *
 * @NOTE DynamoDB's SDK repeats a call whose answer was lost. If a conditional write succeeded, its repetition reports a
 * false condition. Each caller of `put` and `update` reads what is stored then, or is safe to repeat, or documents the effect.
 */
export interface Table {
  /** Consistent. null: there is no such item. */
  get(key: Key): Promise<Item | null>;
  /** Each consistent, in one request, but not all of one moment. One answer for each key, in order. At most 100 different keys. */
  getMany(keys: readonly Key[]): Promise<(Item | null)[]>;
  /** Replaces the whole item. false: the condition is false. */
  put(key: Key, item: Item, condition?: Condition): Promise<boolean>;
  /** The item after the change; null: the condition is false. Creates the item unless the condition forbids it. */
  update(key: Key, change: Change, condition?: Condition): Promise<Item | null>;
  /** false: the condition is false. A missing item counts as deleted. */
  delete(key: Key, condition?: Condition): Promise<boolean>;
  /** Without a condition, in one request, but not at one moment. Missing items count as deleted. 1 to 25 different keys. */
  deleteMany(keys: readonly Key[]): Promise<void>;
  /** Consistent, in the order of the sort keys. */
  query(range: Range): Promise<Item[]>;
}
