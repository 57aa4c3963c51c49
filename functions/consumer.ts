/**
 * The consumer: one batch of the queue in each invocation. A hidden message is reported as failed and stays in the
 * queue; if an invocation throws, its message stays there, too.
 */
import sqsPartialBatchFailure from "@middy/sqs-partial-batch-failure";
import type { Context } from "aws-lambda";
import { createConsumer } from "./shared/consumer.ts";
import { createObservability } from "./shared/observability.ts";
import { observedMiddy } from "./shared/observed-middy.ts";
import { once } from "./shared/once.ts";

const observability = once(createObservability);
const consumer = once(() =>
  createConsumer(process.env, { observability: observability(), endProcess: () => process.exit(1) }),
);

// Its `onError` is left out: it would turn our error into a success with failed items, which no alarm sees.
const { onError: _, ...partialFailures } = sqsPartialBatchFailure({ logger: () => {} });

export const handler = observedMiddy(observability)
  .use(partialFailures)
  .handler(async (event: unknown, context: Context) => {
    const results = await consumer().take(event, context);
    return results.map(({ kind, because }) =>
      kind === "hidden" ? { status: "rejected", reason: because } : { status: "fulfilled", value: kind },
    );
  });
