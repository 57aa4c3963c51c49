/** The policies that the functions' tests hold the functions to: that they refuse, and let through what they should. */
import { GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { createDynamoClient } from "@firehose-backfill/checkpoint/dynamo-client";
import { createSqsClient } from "@firehose-backfill/queue/sqs-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AwsCall, AwsProxy } from "../support/aws-proxy.ts";
import { accessOf, allows, arnOf, startPolicyProxy, statementsOf } from "./host/policy.ts";
import { startTopicServer, type TopicServer } from "./topic-server.ts";

const ON = {
  tableArn: arnOf.table("table"),
  workArn: arnOf.queue("work"),
  deadLettersArn: arnOf.queue("work-dead"),
  alarmTopicArn: arnOf.topic("alarms"),
};

function onTable(action: string, pk: string): AwsCall {
  return { service: "dynamodb", action, request: { TableName: "table", Key: { pk: { S: pk } } } };
}

function onQueue(action: string, queue: string): AwsCall {
  return { service: "sqs", action, request: { QueueUrl: `http://host/000000000000/${queue}` } };
}

const SOURCE_ARN = { SourceArn: arnOf.queue("work-dead"), DestinationArn: arnOf.queue("work") };

describe("a call is", () => {
  it.each([
    ["reader", onTable("UpdateItem", "run#a"), true],
    ["reader", { ...onTable("PutItem", ""), request: { TableName: "table", Item: { pk: { S: "windows#a" } } } }, true],
    ["reader", onTable("UpdateItem", "windows#a"), false],
    ["reader", onQueue("SendMessageBatch", "work"), true],
    ["reader", onQueue("SendMessageBatch", "work-dead"), false],
    ["reader", onQueue("DeleteMessage", "work-dead"), false],
    ["consumer", onTable("UpdateItem", "ledger#a"), true],
    ["consumer", onTable("UpdateItem", "windows#a"), false],
    ["consumer", onTable("DeleteItem", "run#a"), false],
    [
      "consumer",
      { ...onTable("GetItem", "run#a"), request: { TableName: "other", Key: { pk: { S: "run#a" } } } },
      false,
    ],
    ["consumer", { service: "dynamodb", action: "GetItem", request: { TableName: "table" } }, false],
    ["consumer", onQueue("SendMessage", "work"), false],
    ["consumer", { service: "sns", action: "Publish", request: { TopicArn: arnOf.topic("alarms") } }, true],
    ["control", { service: "sqs", action: "StartMessageMoveTask", request: SOURCE_ARN }, false],
    ["control", onQueue("ReceiveMessage", "work-dead"), true],
    ["control", onQueue("DeleteMessageBatch", "work-dead"), true],
    ["control", { service: "sns", action: "Publish", request: { TopicArn: arnOf.topic("alarms") } }, false],
    ["status", { ...onTable("Query", ""), request: query("ledger#a") }, true],
    ["status", onTable("UpdateItem", "run#a"), false],
    ["status", onQueue("ReceiveMessage", "work"), false],
  ] as const)("%s: %j is allowed: %s", async (role, call, isAllowed) => {
    const statements = await statementsOf(role, ON);
    expect(statements.some((statement) => allows(statement, accessOf(call)))).toBe(isAllowed);
  });

  it("never let through by a condition that is not understood", () => {
    const strange = { test: "StringEquals", variable: "aws:SourceIp", values: ["1"] };
    const access = { action: "sqs:SendMessage", resource: ON.workArn, leadingKey: null };
    const statement = { actions: [access.action], resources: [access.resource] };
    expect(allows(statement, access)).toBe(true);
    expect(() => allows({ ...statement, conditions: [strange] }, access)).toThrow("nobody holds here");
  });
});

function query(pk: string): AwsCall["request"] {
  return { TableName: "table", ExpressionAttributeValues: { ":from": { S: "0" }, ":pk": { S: pk } } };
}

describe("the proxy before a function", () => {
  const denied: string[] = [];
  let topic: TopicServer;
  let proxy: AwsProxy;

  beforeAll(async () => {
    topic = await startTopicServer();
    proxy = await startPolicyProxy({
      role: "consumer",
      on: ON,
      targetOf: () => topic.endpoint,
      denied: (sentence) => void denied.push(sentence),
    });
  });

  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await topic[Symbol.asyncDispose]();
  });

  it("refuses as IAM does, and tells", async () => {
    const dynamo = createDynamoClient({ endpoint: proxy.endpoint });
    const sqs = createSqsClient({ endpoint: proxy.endpoint });
    const item = { pk: { S: "windows#r" }, sk: { S: "1" } };
    await expect(dynamo.send(new PutItemCommand({ TableName: "table", Item: item }))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    await expect(dynamo.send(new GetItemCommand({ TableName: "table", Key: item }))).rejects.toThrow("windows#r");
    const QueueUrl = `${proxy.endpoint}/000000000000/work`;
    await expect(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }))).rejects.toThrow("sqs:SendMessage");
    expect(denied).toHaveLength(3);
    dynamo.destroy();
    sqs.destroy();
  });

  it("lets through what is allowed, untouched", async () => {
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const sns = new SNSClient({ endpoint: proxy.endpoint, region: "us-east-1", credentials });
    await sns.send(new PublishCommand({ TopicArn: ON.alarmTopicArn, Subject: "a subject", Message: "a message" }));
    expect(topic.published).toEqual([{ subject: "a subject", message: "a message" }]);
    expect(denied).toHaveLength(3);
    sns.destroy();
  });
});
