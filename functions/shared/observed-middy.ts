/** The middleware engine as every handler has it: observed, and without a time-out of its own. */
// oxlint-disable-next-line import/no-named-as-default -- its types know the default export alone
import middy from "@middy/core";
import { type Observability, observed } from "./observability.ts";

/**
 * Middy's early time-out answers for a handler that goes on working in the background, and leaks into the next
 * invocation. Handlers look at the time they have, and what takes longer is ended by Lambda.
 */
export function observedMiddy(observability: () => Observability) {
  return middy({ timeoutEarlyInMillis: 0 }).use(observed(observability));
}
