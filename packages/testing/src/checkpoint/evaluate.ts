/** Whether a condition is true for an item, by the rules of DynamoDB. */
import type { Condition, Item, Value } from "../../../checkpoint/src/table/table.ts";

/** null: there is no item. */
export function holds(condition: Condition, item: Item | null): boolean {
  switch (condition.kind) {
    case "equals":
      return valueAt(item, condition.path) === condition.value;
    case "compare": {
      const value = valueAt(item, condition.path);
      if (typeof value !== "number") return false;
      if (condition.operator === "<") return value < condition.value;
      return condition.operator === "<=" ? value <= condition.value : value >= condition.value;
    }
    case "exists":
      return valueAt(item, condition.path) !== undefined;
    case "absent":
      return valueAt(item, condition.path) === undefined;
    case "all":
      return condition.conditions.every((part) => holds(part, item));
    case "any":
      return condition.conditions.some((part) => holds(part, item));
    default: {
      const unreachable: never = condition;
      return unreachable;
    }
  }
}

function valueAt(item: Item | null, path: string): Value | undefined {
  const [name = "", field] = path.split(".");
  const value = item?.[name];
  if (field === undefined) return value;
  return typeof value === "object" && !(value instanceof Uint8Array) ? value[field] : undefined;
}
