/** Parses a plan from JSON; it checks only enough of its shape to recognise a plan. */
import type { Plan } from "@firehose-backfill/backfill/plan/types";

/** null: it is not a plan. */
export function parsePlan(value: unknown): Plan | null {
  return isPlan(value) ? value : null;
}

function isPlan(value: unknown): value is Plan {
  if (typeof value !== "object" || value === null) return false;
  const objects = ["window", "sampled", "events", "database", "pace", "cost", "profiles", "advice"];
  return objects.every((key) => key in value && typeof Reflect.get(value, key) === "object");
}
