/**
 * The deploy of one stage, rehearsed: the API calls that would create its resources, each against the service's published
 * model and all of them against the rules for what those models let pass. Nothing is sent anywhere.
 */
import type { Stack } from "../stack.ts";
import { conform } from "./conform.ts";
import { modelOf } from "./models.ts";
import { RULES } from "./rules/all.ts";
import { callsFor } from "./translate.ts";

/** Stands in the place of a rule's name where the published model itself refuses. */
export const THE_MODEL = "the service's own model";

export interface Rehearsal {
  readonly calls: number;
  /** What AWS would refuse, or take although it cannot work: by rule. Empty: nothing. */
  readonly problems: Readonly<Record<string, readonly string[]>>;
}

/** @throws Error when a resource's type has no translation, or a service no model */
export function rehearse(stack: Stack): Rehearsal {
  const calls = callsFor(stack);
  const refused = calls.flatMap(({ service, operation, input, of }) =>
    conform(modelOf(service), operation, input).map((says) => `${of}, ${service}.${operation}: ${says}`),
  );
  const found = RULES.map(({ name, run }) => [name, run(calls)] as const);
  return {
    calls: calls.length,
    problems: Object.fromEntries([[THE_MODEL, refused] as const, ...found].filter(([, says]) => says.length > 0)),
  };
}
