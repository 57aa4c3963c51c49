/** The middleware engine of every handler: with logs and metrics, and without middy's own time-out. */
// oxlint-disable-next-line import/no-named-as-default -- its types know only the default export
import middy from "@middy/core";
import { type Observability, observed } from "./observability.ts";

/**
 * Middy's early time-out would answer while the handler continues in the background, and its work would run into the next
 * invocation. Handlers watch their remaining time, and Lambda ends those that take longer.
 */
export function observedMiddy(observability: () => Observability) {
  return middy({ timeoutEarlyInMillis: 0 }).use(observed(observability));
}
