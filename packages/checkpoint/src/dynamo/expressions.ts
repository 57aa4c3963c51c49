/**
 * Conditions and changes as values, and their translation to DynamoDB's expressions. Every name goes through a
 * placeholder, so that no attribute can collide with DynamoDB's list of reserved words.
 */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Attributes } from "./attributes.ts";

export type Condition =
  | { readonly kind: "compare"; readonly path: string; readonly operator: Operator; readonly value: AttributeValue }
  | { readonly kind: "exists" | "absent"; readonly path: string }
  | { readonly kind: "one-of"; readonly path: string; readonly values: readonly AttributeValue[] }
  | { readonly kind: "all" | "any"; readonly conditions: readonly Condition[] };

type Operator = "=" | "<" | "<=" | ">=";

export interface Change {
  /** null removes. */
  readonly set?: Attributes;
  /** Added to what is there; an attribute that is not there counts as 0. */
  readonly add?: Readonly<Record<string, number>>;
}

/** `path` may name a field of a map: `readerCursor.seq`. */
export function compare(path: string, operator: Operator, value: AttributeValue): Condition {
  return { kind: "compare", path, operator, value };
}

export function exists(path: string): Condition {
  return { kind: "exists", path };
}

export function absent(path: string): Condition {
  return { kind: "absent", path };
}

export function oneOf(path: string, values: readonly AttributeValue[]): Condition {
  return { kind: "one-of", path, values };
}

export function all(...conditions: readonly Condition[]): Condition {
  return { kind: "all", conditions };
}

export function any(...conditions: readonly Condition[]): Condition {
  return { kind: "any", conditions };
}

/** Collects the placeholders of one request. */
export class Expressions {
  readonly #names = new Map<string, string>();
  readonly #values: Record<string, AttributeValue> = {};

  /** As the SDK takes them; an empty map is an error there. */
  get placeholders(): {
    ExpressionAttributeNames?: Record<string, string>;
    ExpressionAttributeValues?: Record<string, AttributeValue>;
  } {
    return {
      ...(this.#names.size > 0 && {
        ExpressionAttributeNames: Object.fromEntries(
          [...this.#names].map(([name, placeholder]) => [placeholder, name]),
        ),
      }),
      ...(Object.keys(this.#values).length > 0 && { ExpressionAttributeValues: this.#values }),
    };
  }

  path(path: string): string {
    return path
      .split(".")
      .map((name) => {
        const placeholder = this.#names.get(name) ?? `#n${this.#names.size}`;
        this.#names.set(name, placeholder);
        return placeholder;
      })
      .join(".");
  }

  value(value: AttributeValue): string {
    const placeholder = `:v${Object.keys(this.#values).length}`;
    this.#values[placeholder] = value;
    return placeholder;
  }

  condition(condition: Condition): string {
    switch (condition.kind) {
      case "compare":
        return `${this.path(condition.path)} ${condition.operator} ${this.value(condition.value)}`;
      case "exists":
        return `attribute_exists(${this.path(condition.path)})`;
      case "absent":
        return `attribute_not_exists(${this.path(condition.path)})`;
      case "one-of":
        return `${this.path(condition.path)} IN (${condition.values.map((value) => this.value(value)).join(", ")})`;
      case "all":
      case "any":
        // Parentheses around a single one, within parentheses, are an error to DynamoDB.
        if (condition.conditions.length === 1 && condition.conditions[0] !== undefined)
          return this.condition(condition.conditions[0]);
        return condition.conditions
          .map((part) => `(${this.condition(part)})`)
          .join(condition.kind === "all" ? " AND " : " OR ");
      default: {
        const unreachable: never = condition;
        return unreachable;
      }
    }
  }

  update(change: Change): string {
    const set: string[] = [];
    const remove: string[] = [];
    for (const [name, value] of Object.entries(change.set ?? {})) {
      if (value === null) remove.push(this.path(name));
      else set.push(`${this.path(name)} = ${this.value(value)}`);
    }
    const add = Object.entries(change.add ?? {}).map(
      ([name, by]) => `${this.path(name)} ${this.value({ N: String(by) })}`,
    );
    return [section("SET", set), section("ADD", add), section("REMOVE", remove)].filter((it) => it !== "").join(" ");
  }
}

function section(word: string, clauses: readonly string[]): string {
  return clauses.length === 0 ? "" : `${word} ${clauses.join(", ")}`;
}
