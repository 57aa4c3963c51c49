/** Queues and the table. */
import { call, fieldsOf, listOf, upperFields, type Call, type Fields } from "../call.ts";
import type { Registered } from "../../stack.ts";

/** What the provider sends where the program says nothing. Its message size is a quarter of what SQS itself would give. */
const QUEUE_DEFAULTS: Fields = {
  DelaySeconds: 0,
  MaximumMessageSize: 262_144,
  MessageRetentionPeriod: 345_600,
  ReceiveMessageWaitTimeSeconds: 0,
  VisibilityTimeout: 30,
};

/** Where the provider's name is not the attribute's own. */
const QUEUE_NAMES: Readonly<Record<string, string>> = {
  maxMessageSize: "MaximumMessageSize",
  messageRetentionSeconds: "MessageRetentionPeriod",
  receiveWaitTimeSeconds: "ReceiveMessageWaitTimeSeconds",
  visibilityTimeoutSeconds: "VisibilityTimeout",
};

export function queueCalls(resource: Registered): Call[] {
  const { name, fifoQueue, contentBasedDeduplication, ...rest } = resource.inputs;
  const named = Object.entries(rest).map(([key, value]) => {
    return [QUEUE_NAMES[key] ?? key.charAt(0).toUpperCase() + key.slice(1), value] as const;
  });
  return [
    call(resource, "sqs.CreateQueue", {
      QueueName: name,
      Attributes: asTexts({
        ...QUEUE_DEFAULTS,
        ...Object.fromEntries(named),
        // SQS refuses both names on a standard queue, false included; the provider leaves them out.
        ...(fifoQueue === true ? { FifoQueue: true } : {}),
        ...(contentBasedDeduplication === true ? { ContentBasedDeduplication: true } : {}),
      }),
    }),
  ];
}

export function redriveAllowPolicyCalls(resource: Registered): Call[] {
  const { queueUrl, ...rest } = resource.inputs;
  return [call(resource, "sqs.SetQueueAttributes", { QueueUrl: queueUrl, Attributes: asTexts(upperFields(rest)) })];
}

export function tableCalls(resource: Registered): Call[] {
  const { name, attributes, hashKey, rangeKey, billingMode, ttl, pointInTimeRecovery, ...more } = resource.inputs;
  const { streamEnabled, streamViewType, globalSecondaryIndexes, localSecondaryIndexes, ...rest } = more;
  const calls = [
    call(resource, "dynamodb.CreateTable", {
      TableName: name,
      BillingMode: billingMode ?? "PROVISIONED",
      AttributeDefinitions: listOf(attributes).map((it) => {
        const { name: attribute, type, ...others } = fieldsOf(it);
        return { AttributeName: attribute, AttributeType: type, ...upperFields(others) };
      }),
      KeySchema: [keyElement(hashKey, "HASH"), keyElement(rangeKey, "RANGE")].flat(),
      ...(streamEnabled === true
        ? { StreamSpecification: { StreamEnabled: true, StreamViewType: streamViewType } }
        : {}),
      ...indexes("GlobalSecondaryIndexes", globalSecondaryIndexes),
      ...indexes("LocalSecondaryIndexes", localSecondaryIndexes),
      ...upperFields(rest),
    }),
  ];
  if (ttl !== undefined) {
    calls.push(
      call(resource, "dynamodb.UpdateTimeToLive", {
        TableName: name,
        TimeToLiveSpecification: upperFields(fieldsOf(ttl)),
      }),
    );
  }
  if (pointInTimeRecovery !== undefined) {
    const { enabled, ...others } = fieldsOf(pointInTimeRecovery);
    calls.push(
      call(resource, "dynamodb.UpdateContinuousBackups", {
        TableName: name,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: enabled, ...upperFields(others) },
      }),
    );
  }
  return calls;
}

function keyElement(name: unknown, type: "HASH" | "RANGE"): Fields[] {
  return name === undefined ? [] : [{ AttributeName: name, KeyType: type }];
}

/** This program has none. One that is added goes on as it is, so that the model refuses what is not translated. */
function indexes(member: string, value: unknown): Fields {
  return listOf(value).length === 0 ? {} : { [member]: value };
}

function asTexts(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}
