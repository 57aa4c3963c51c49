/** How many batches are applied at once: the reservation, the mapping's cap, and one batch at a time. */
import { at, one } from "../stack.ts";
import { holds, same, type Check } from "./check.ts";
import { functionArn, functionOf, queueArn, TYPES, workQueue } from "./find.ts";

export const CONCURRENCY: readonly Check[] = [
  {
    name: "the consumer reserves max-concurrent, or nothing",
    run: (stack, expected) =>
      same(
        "reserved for the consumer",
        at(functionOf(stack, "Consumer"), "reservedConcurrentExecutions"),
        expected.isReserved ? expected.maxConcurrent : undefined,
      ),
  },
  {
    name: "one reader at a time, or nothing reserved",
    run: (stack, expected) =>
      same(
        "reserved for the reader",
        at(functionOf(stack, "Reader"), "reservedConcurrentExecutions"),
        expected.isReserved ? 1 : undefined,
      ),
  },
  {
    name: "nothing is reserved for control and status",
    run: (stack) =>
      (["Control", "Status"] as const).flatMap((role) =>
        same(`reserved for ${role}`, at(functionOf(stack, role), "reservedConcurrentExecutions"), undefined),
      ),
  },
  {
    name: "the mapping offers at most max-concurrent, and two at least",
    run: (stack, { maxConcurrent }) =>
      same(
        "MaximumConcurrency",
        at(one(stack, TYPES.mapping), "scalingConfig", "maximumConcurrency"),
        maxConcurrent < 2 ? 2 : maxConcurrent,
      ),
  },
  {
    name: "the mapping hands one batch to the consumer, at once",
    run: (stack) => {
      const mapping = one(stack, TYPES.mapping);
      return [
        ...same("BatchSize", at(mapping, "batchSize"), 1),
        ...same("window", at(mapping, "maximumBatchingWindowInSeconds"), 0),
        ...same("queue", at(mapping, "eventSourceArn"), queueArn(workQueue(stack))),
        ...same("function", at(mapping, "functionName"), functionArn(stack, "Consumer")),
        ...holds("the mapping is disabled", at(mapping, "enabled") !== false),
      ];
    },
  },
  {
    name: "partial responses",
    run: (stack) =>
      same("response types", at(one(stack, TYPES.mapping), "functionResponseTypes"), ["ReportBatchItemFailures"]),
  },
];
