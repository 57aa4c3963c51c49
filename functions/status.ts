/** The status page: answers signed requests to the function's address with a page, JSON or text. */
import { createObservability } from "./shared/observability.ts";
import { observedMiddy } from "./shared/observed-middy.ts";
import { once } from "./shared/once.ts";
import { createStatusPage } from "./shared/status-page.ts";

const observability = once(createObservability);
const page = once(() => createStatusPage(process.env));

export const handler = observedMiddy(observability).handler((event: unknown) => page().respond(event));
