/** The reader: one tick a minute. The schedule invokes it with `{ "action": "tick", "scheduledAt": "…" }`. */
import type { Context } from "aws-lambda";
import { createObservability } from "./shared/observability.ts";
import { observedMiddy } from "./shared/observed-middy.ts";
import { once } from "./shared/once.ts";
import { createReader } from "./shared/reader.ts";

const observability = once(createObservability);
const reader = once(() =>
  createReader(process.env, { observability: observability(), endProcess: () => process.exit(1) }),
);

export const handler = observedMiddy(observability).handler(async (event: unknown, context: Context) => ({
  message: await reader().tick(event, context),
}));
