/** Random calls of a table, and its answers. */
import fc from "fast-check";
import { absent, all, any, compare, equals, exists, oneOf } from "../../../checkpoint/src/table/conditions.ts";
import type { Attributes, Condition, Item, Key, Table, Value } from "../../../checkpoint/src/table/table.ts";

/** Few names, keys and values, so that calls affect each other. Texts that look like numbers, and a name that DynamoDB reserves. */
const pk = fc.constantFrom("run#a", "run#b");
const sk = fc.constantFrom("run", "scope#0000", "scope#0001", "window#1#2", "~");
const key: fc.Arbitrary<Key> = fc.record({ pk, sk });
const name = fc.constantFrom("status", "fence", "cursor", "dead:a-b", "body");
const scalar = fc.oneof(
  fc.constantFrom("", "1", "running", "ä😀"),
  fc.constantFrom(0, -0, 1, -1, 2, 0.1, 1_760_000_000_000.123, Number.MAX_SAFE_INTEGER, 1e21, 1e-7, -9.5e125, 1e-130),
  fc.boolean(),
);
const outOfRange = fc.constantFrom(1e126, -1e126, 1e-131, Number.MAX_VALUE, Number.MIN_VALUE);
const value: fc.Arbitrary<Value> = fc.oneof(
  { weight: 20, arbitrary: scalar },
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 4 }) },
  { weight: 6, arbitrary: fc.dictionary(fc.constantFrom("seq", "timeMs"), fc.constantFrom(0, 1, 2.5)) },
  { weight: 1, arbitrary: outOfRange },
);
const whole = fc.constantFrom(-1, 0, 1, 5, 2 ** 40);
const path = fc.oneof(name, fc.constantFrom("pk", "v", "cursor.seq", "status.seq", "body.seq"));

const { condition } = fc.letrec<{ condition: Condition; simple: Condition }>((tie) => ({
  simple: fc.oneof(
    fc.tuple(path, scalar).map(([at, to]) => equals(at, to)),
    fc
      .tuple(path, fc.constantFrom("<" as const, "<=" as const, ">=" as const), fc.constantFrom(0, 1, 2, 1e21))
      .map(([at, operator, to]) => compare(at, operator, to)),
    path.map(exists),
    path.map(absent),
    fc.tuple(path, fc.subarray(["running", "1", ""], { minLength: 1 })).map(([at, values]) => oneOf(at, values)),
  ),
  condition: fc.oneof(
    { maxDepth: 2 },
    tie("simple"),
    fc.array(tie("condition"), { minLength: 1, maxLength: 3 }).map(([first, ...more]) => joined(all, first, more)),
    fc.array(tie("condition"), { minLength: 1, maxLength: 3 }).map(([first, ...more]) => joined(any, first, more)),
  ),
}));
const perhaps = fc.option(condition, { nil: undefined });

/** One call of a table, as a value. */
export type Call =
  | { readonly kind: "get"; readonly key: Key }
  | { readonly kind: "get many"; readonly keys: readonly Key[] }
  | { readonly kind: "put"; readonly key: Key; readonly item: Item; readonly condition: Condition | undefined }
  | {
      readonly kind: "update";
      readonly key: Key;
      readonly set: Attributes;
      readonly add: Readonly<Record<string, number>>;
      readonly condition: Condition | undefined;
    }
  | { readonly kind: "delete"; readonly key: Key; readonly condition: Condition | undefined }
  | { readonly kind: "delete many"; readonly keys: readonly Key[] }
  | { readonly kind: "query"; readonly pk: string; readonly ends: readonly [string, string]; readonly limit: number };

const noNull = { noNullPrototype: true } as const;
export const anyCall: fc.Arbitrary<Call> = fc.oneof(
  fc.record({ kind: fc.constant("get" as const), key }),
  fc.record({ kind: fc.constant("get many" as const), keys: fc.array(key, { maxLength: 4 }) }),
  fc.record({
    kind: fc.constant("put" as const),
    key,
    item: fc.dictionary(name, value, { maxKeys: 4, ...noNull }),
    condition: perhaps,
  }),
  fc.record({
    kind: fc.constant("update" as const),
    key,
    // Never empty, because every change sets the version of the item.
    set: fc
      .dictionary(fc.oneof({ weight: 30, arbitrary: name }, fc.constant("sk")), fc.option(value), {
        maxKeys: 4,
        ...noNull,
      })
      .map((set) => ({ ...set, v: 1 })),
    add: fc.dictionary(name, whole, { maxKeys: 2, ...noNull }),
    condition: perhaps,
  }),
  fc.record({ kind: fc.constant("delete" as const), key, condition: perhaps }),
  fc.record({ kind: fc.constant("delete many" as const), keys: fc.array(key, { maxLength: 4 }) }),
  fc.record({ kind: fc.constant("query" as const), pk, ends: fc.tuple(sk, sk), limit: fc.integer({ min: 1, max: 4 }) }),
);

/** The table's answer; a refusal is a value, too. */
export async function answerOf(table: Table, next: Call): Promise<unknown> {
  try {
    switch (next.kind) {
      case "get":
        return await table.get(next.key);
      case "get many":
        return await table.getMany(next.keys);
      case "put":
        return await table.put(next.key, next.item, next.condition);
      case "update":
        return await table.update(next.key, { set: next.set, add: next.add }, next.condition);
      case "delete":
        return await table.delete(next.key, next.condition);
      case "delete many":
        return await table.deleteMany(next.keys);
      case "query":
        return await table.query({ pk: next.pk, from: next.ends[0], to: next.ends[1], limit: next.limit });
      default: {
        const unreachable: never = next;
        return unreachable;
      }
    }
  } catch (error) {
    if (!(error instanceof Error && "isRetryable" in error && typeof error.isRetryable === "function")) throw error;
    return { refused: error.name, message: error.message, isRetryable: error.isRetryable() };
  }
}

export function kindOf(answer: unknown): "done" | "not done" | "refused" {
  if (answer === null || answer === false) return "not done";
  return typeof answer === "object" && "refused" in answer ? "refused" : "done";
}

function joined(how: typeof all, first: Condition | undefined, more: readonly Condition[]): Condition {
  if (first === undefined) throw new Error("there is at least one");
  return how(first, ...more);
}
