/** SQS. Its attributes are texts, so that the model knows their names and nothing of their values. */
import { NEEDED_MESSAGE_BYTES } from "../../../../packages/core/src/message-size.ts";
import { callsOf, fieldsOf, listOf, parsed, type Fields, textOf } from "../call.ts";
import { nameInArn, rule, unless, wholeNumber, type Rule } from "./rule.ts";

const RANGES: Readonly<Record<string, readonly [least: number, most: number]>> = {
  DelaySeconds: [0, 900],
  MaximumMessageSize: [1024, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600],
  ReceiveMessageWaitTimeSeconds: [0, 20],
  VisibilityTimeout: [0, 43_200],
  KmsDataKeyReusePeriodSeconds: [60, 86_400],
};

const READ_ONLY = /^(All|Approximate.*|CreatedTimestamp|LastModifiedTimestamp|QueueArn)$/;

export const QUEUE_RULES: readonly Rule[] = [
  rule("a queue's name has 80 letters, digits, - and _ at most", "sqs.CreateQueue", (input) => {
    const name = textOf(input["QueueName"]);
    const plain = isFifo(input) ? name.replace(/\.fifo$/, "") : name;
    return unless(name.length <= 80 && /^[\w-]+$/.test(plain), `"${name}", ${name.length} characters`);
  }),
  rule("a queue's numbers are within SQS's ranges", "sqs.CreateQueue", (input) =>
    Object.entries(RANGES).flatMap(([name, [least, most]]) => {
      const value = attributesOf(input)[name];
      return unless(
        value === undefined || wholeNumber(value, least, most),
        `${name} is ${textOf(value)}; it takes ${least} to ${most}`,
      );
    }),
  ),
  rule("a queue takes a message as large as the program sends", "sqs.CreateQueue", (input) => {
    const bytes = Number(attributesOf(input)["MaximumMessageSize"]);
    return unless(bytes >= NEEDED_MESSAGE_BYTES, `${bytes} bytes; the program sends up to ${NEEDED_MESSAGE_BYTES}`);
  }),
  rule("a FIFO queue says so in its name, and no other does", "sqs.CreateQueue", (input) =>
    unless(isFifo(input) === textOf(input["QueueName"]).endsWith(".fifo"), textOf(input["QueueName"])),
  ),
  rule("what only a FIFO queue has is set on none but these", "sqs.CreateQueue", (input) =>
    ["ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"]
      .filter((name) => attributesOf(input)[name] !== undefined && !isFifo(input))
      .map((name) => `${name} on a standard queue`),
  ),
  rule("nothing is set that a queue only tells", "sqs.CreateQueue", (input) =>
    Object.keys(attributesOf(input))
      .filter((name) => READ_ONLY.test(name))
      .map((name) => `${name} cannot be set`),
  ),
  rule("dead letters go to a queue of this deploy, after 1 to 1,000 receives", "sqs.CreateQueue", (input, calls) => {
    const text = attributesOf(input)["RedrivePolicy"];
    if (text === undefined) return [];
    const { deadLetterTargetArn: arn, maxReceiveCount: count, ...rest } = fieldsOf(parsed(text));
    const target = callsOf(calls, "sqs.CreateQueue").find((it) => it.input["QueueName"] === nameInArn(arn));
    return [
      ...unless(wholeNumber(textOf(count), 1, 1000), `maxReceiveCount is ${textOf(count)}`),
      ...unless(target !== undefined, `${textOf(arn)} is not created`),
      ...unless(target === undefined || isFifo(target.input) === isFifo(input), "one is FIFO and the other is not"),
      ...Object.keys(rest).map((name) => `${name} is not a part of it`),
    ];
  }),
  rule("a redrive allow policy is one that SQS understands", "sqs.SetQueueAttributes", (input) => {
    const text = attributesOf(input)["RedriveAllowPolicy"];
    if (text === undefined) return [];
    const { redrivePermission: permission, sourceQueueArns: sources, ...rest } = fieldsOf(parsed(text));
    const arns = listOf(sources);
    return [
      ...unless(
        ["allowAll", "denyAll", "byQueue"].includes(textOf(permission)),
        `redrivePermission is ${textOf(permission)}`,
      ),
      ...unless((permission === "byQueue") === arns.length > 0, `${arns.length} queues with ${textOf(permission)}`),
      ...unless(arns.length <= 10, `${arns.length} queues; ten are the most`),
      ...Object.keys(rest).map((name) => `${name} is not a part of it`),
    ];
  }),
];

function attributesOf(input: Fields): Fields {
  return fieldsOf(input["Attributes"]);
}

function isFifo(input: Fields): boolean {
  return attributesOf(input)["FifoQueue"] === "true";
}
