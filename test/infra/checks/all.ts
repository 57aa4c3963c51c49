/** Every check, in the order in which the deliverables are read. */
import { ALARMS } from "./alarms.ts";
import type { Check, Expected } from "./check.ts";
import { CONCURRENCY } from "./concurrency.ts";
import { DASHBOARD } from "./dashboard.ts";
import { FUNCTIONS } from "./functions.ts";
import { PERMISSIONS } from "./permissions.ts";
import { PRODUCTION } from "./production.ts";
import { QUEUES } from "./queues.ts";
import { SECRETS } from "./secrets.ts";
import { SCHEDULE } from "./schedule.ts";
import { STATUS_URL } from "./status-url.ts";
import { TEST_EVENTS } from "./test-events.ts";
import type { Stack } from "../stack.ts";

export const CHECKS: readonly Check[] = [
  ...CONCURRENCY,
  ...QUEUES,
  ...FUNCTIONS,
  ...SCHEDULE,
  ...PERMISSIONS,
  ...SECRETS,
  ...STATUS_URL,
  ...ALARMS,
  ...DASHBOARD,
  ...TEST_EVENTS,
  ...PRODUCTION,
];

/** The names of the checks that find something, with what they found. A check that cannot find its way has found something. */
export function problemsOf(stack: Stack, expected: Expected): Record<string, readonly string[]> {
  const found = CHECKS.map(({ name, run }) => [name, attempt(() => run(stack, expected))] as const);
  return Object.fromEntries(found.filter(([, problems]) => problems.length > 0));
}

function attempt(run: () => readonly string[]): readonly string[] {
  try {
    return run();
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
