/** The two queues: how long a message is hidden, how often it may return, and how long it is kept. */
import { NEEDED_MESSAGE_BYTES } from "../../../packages/core/src/message-size.ts";
import { all, at, one } from "../stack.ts";
import { holds, json, same, type Check } from "./check.ts";
import { deadLetterQueue, functionOf, queueArn, queueUrl, TYPES, workQueue } from "./find.ts";

export const QUEUES: readonly Check[] = [
  {
    name: "a message is hidden for at least six times the consumer's timeout",
    run: (stack) => {
      const visibility = Number(at(workQueue(stack), "visibilityTimeoutSeconds"));
      const timeout = Number(at(functionOf(stack, "Consumer"), "timeout"));
      return holds(`visibility ${visibility} s < 6 x ${timeout} s`, visibility >= 6 * timeout);
    },
  },
  {
    name: "a message returns 1,000 times before the dead-letter queue takes it",
    run: (stack) => {
      const queue = workQueue(stack);
      return same("redrive policy", json(queue, at(queue, "redrivePolicy")), {
        deadLetterTargetArn: queueArn(deadLetterQueue(stack)),
        maxReceiveCount: 1000,
      });
    },
  },
  {
    name: "the dead-letter queue keeps for 14 days, longer than the queue's 4",
    run: (stack) => [
      ...same("retention", at(workQueue(stack), "messageRetentionSeconds"), 345_600),
      ...same("dead letters' retention", at(deadLetterQueue(stack), "messageRetentionSeconds"), 1_209_600),
    ],
  },
  {
    name: "issue 12.5: both queues take messages as large as the program sends, which is SQS's own limit",
    run: (stack) => [
      ...same("what the program needs", NEEDED_MESSAGE_BYTES, 1_048_576),
      ...[workQueue(stack), deadLetterQueue(stack)].flatMap((queue) =>
        same(`${queue.name} takes`, at(queue, "maxMessageSize"), NEEDED_MESSAGE_BYTES),
      ),
    ],
  },
  {
    name: "both queues are standard and delay nothing by themselves",
    run: (stack) =>
      all(stack, TYPES.queue).flatMap((queue) => [
        ...same(`${queue.name} fifo`, at(queue, "fifoQueue"), false),
        ...same(`${queue.name} delay`, at(queue, "delaySeconds"), 0),
      ]),
  },
  {
    name: "the dead-letter queue belongs to the work queue alone",
    run: (stack) => {
      const policy = one(stack, TYPES.redriveAllow);
      return [
        ...same("of", at(policy, "queueUrl"), queueUrl(deadLetterQueue(stack))),
        ...same("allows", json(policy, at(policy, "redriveAllowPolicy")), {
          redrivePermission: "byQueue",
          sourceQueueArns: [queueArn(workQueue(stack))],
        }),
      ];
    },
  },
];
