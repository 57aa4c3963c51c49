/**
 * Translates conditions and changes into DynamoDB's language. Every name becomes a placeholder, so that no attribute can
 * be one of DynamoDB's reserved words.
 */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { toAttribute } from "./dynamo-values.ts";
import type { Change, Condition, Value } from "./table.ts";

/** Collects the placeholders of one request. */
export class Expressions {
  readonly #names = new Map<string, string>();
  readonly #values: Record<string, AttributeValue> = {};

  /** In the SDK's form, in which an empty map is an error. */
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

  condition(condition: Condition): string {
    switch (condition.kind) {
      case "equals":
        return `${this.#path(condition.path)} = ${this.#value(condition.value)}`;
      case "compare":
        return `${this.#path(condition.path)} ${condition.operator} ${this.#value(condition.value)}`;
      case "exists":
        return `attribute_exists(${this.#path(condition.path)})`;
      case "absent":
        return `attribute_not_exists(${this.#path(condition.path)})`;
      case "all":
      case "any":
        // DynamoDB refuses parentheses around a single condition within parentheses.
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
      if (value === null) remove.push(this.#name(name));
      else set.push(`${this.#name(name)} = ${this.#value(value)}`);
    }
    const add = Object.entries(change.add ?? {}).map(([name, by]) => `${this.#name(name)} ${this.#value(by)}`);
    return [section("SET", set), section("ADD", add), section("REMOVE", remove)].filter((it) => it !== "").join(" ");
  }

  #path(path: string): string {
    return path
      .split(".")
      .map((name) => this.#name(name))
      .join(".");
  }

  #name(name: string): string {
    const placeholder = this.#names.get(name) ?? `#n${this.#names.size}`;
    this.#names.set(name, placeholder);
    return placeholder;
  }

  #value(value: Value): string {
    const placeholder = `:v${Object.keys(this.#values).length}`;
    this.#values[placeholder] = toAttribute(value);
    return placeholder;
  }
}

function section(word: string, clauses: readonly string[]): string {
  return clauses.length === 0 ? "" : `${word} ${clauses.join(", ")}`;
}
