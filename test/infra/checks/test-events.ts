/** The console's Test menu of the control function. */
import { at, one } from "../stack.ts";
import { holds, json, same, type Check } from "./check.ts";
import { functionOf, TYPES } from "./find.ts";

const EVENTS: Readonly<Record<string, unknown>> = {
  "start-background": { action: "start", days: 1, profile: "background" },
  "start-moderate": { action: "start", days: 1, profile: "moderate" },
  "start-fast": { action: "start", days: 1, profile: "fast" },
  status: { action: "status" },
  pause: { action: "pause" },
  resume: { action: "resume" },
  cancel: { action: "cancel" },
  plan: { action: "plan" },
  redrive: { action: "redrive" },
};

export const TEST_EVENTS: readonly Check[] = [
  {
    name: "the Test menu of control offers its events",
    run: (stack) => {
      const schema = one(stack, TYPES.schema);
      const content = json(schema, at(schema, "content")) as {
        openapi: string;
        components: { examples: Record<string, unknown> };
      };
      const offered = Object.entries(content.components.examples);
      return [
        ...same("name", at(schema, "name"), `_${String(at(functionOf(stack, "Control"), "name"))}-schema`),
        ...same("registry", at(schema, "registryName"), "lambda-testevent-schemas"),
        ...same("type", at(schema, "type"), "OpenApi3"),
        ...same("version", content.openapi, "3.0.0"),
        ...same(
          "events",
          Object.fromEntries(offered.map(([name, it]) => [name, (it as { value: unknown }).value])),
          EVENTS,
        ),
        ...holds("more than ten, which the console does not show", offered.length <= 10),
      ];
    },
  },
  {
    name: "the account's registry is adopted where it is there, and never removed",
    run: (stack, { hasRegistry }) => {
      const registry = one(stack, TYPES.registry);
      return [
        ...same("name", at(registry, "name"), "lambda-testevent-schemas"),
        ...same("adopted", registry.importId, hasRegistry ? "lambda-testevent-schemas" : ""),
        ...same("kept", registry.retainOnDelete, true),
      ];
    },
  },
];
