/** The table in DynamoDB: Get, BatchGet, Put, Update, Delete, BatchWrite and Query of the SDK. How the table is made: ../create-table.ts. */
import {
  BatchGetItemCommand,
  type BatchGetItemCommandOutput,
  BatchWriteItemCommand,
  type BatchWriteItemCommandOutput,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  DynamoDBServiceException,
  GetItemCommand,
  type KeysAndAttributes,
  PutItemCommand,
  QueryCommand,
  type QueryCommandOutput,
  UpdateItemCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { TableError } from "../errors.ts";
import { toAttributes, toItem } from "./dynamo-values.ts";
import { Expressions } from "./expressions.ts";
import { type Condition, type Item, type Key, nameOf, type Table } from "./table.ts";

const MOST_CALLS = 3;

/** Every method throws only after the SDK's own retries; the error says whether the call may succeed later. */
export function createDynamoTable(client: DynamoDBClient, name: string): Table {
  return {
    async get(key) {
      const command = new GetItemCommand({ TableName: name, Key: keyOf(key), ConsistentRead: true });
      const answer = await attempt("get", () => client.send(command));
      return answer.Item === undefined ? null : toItem(answer.Item);
    },

    /** Keys that DynamoDB leaves unanswered because it is busy are requested again, as often as the SDK repeats a call. */
    async getMany(keys) {
      const found = new Map<string, Item>();
      let left: KeysAndAttributes | undefined = { Keys: keys.map(keyOf), ConsistentRead: true };
      for (let calls = 0; left !== undefined; calls += 1) {
        if (calls === MOST_CALLS)
          throw new TableError("get", { isRetryable: true, cause: new Error("it is too busy") });
        const command = new BatchGetItemCommand({ RequestItems: { [name]: left } });
        const answer: BatchGetItemCommandOutput = await attempt("get", () => client.send(command));
        for (const item of (answer.Responses?.[name] ?? []).map(toItem)) found.set(nameOf(item), item);
        left = answer.UnprocessedKeys?.[name];
      }
      return keys.map((key) => found.get(nameOf({ ...key })) ?? null);
    },

    async put(key, item, condition) {
      const command = new PutItemCommand({
        TableName: name,
        Item: { ...toAttributes(item), ...keyOf(key) },
        ...when(condition),
      });
      return (await attempt("put", () => ifItHolds(() => client.send(command)))) !== null;
    },

    async update(key, change, condition) {
      const expressions = new Expressions();
      const command = new UpdateItemCommand({
        TableName: name,
        Key: keyOf(key),
        UpdateExpression: expressions.update(change),
        ...(condition !== undefined && { ConditionExpression: expressions.condition(condition) }),
        ...expressions.placeholders,
        ReturnValues: "ALL_NEW",
      });
      const answer = await attempt("update", () => ifItHolds(() => client.send(command)));
      return answer === null ? null : toItem(answer.Attributes ?? {});
    },

    async delete(key, condition) {
      const command = new DeleteItemCommand({ TableName: name, Key: keyOf(key), ...when(condition) });
      return (await attempt("delete", () => ifItHolds(() => client.send(command)))) !== null;
    },

    /** What DynamoDB leaves undone because it is busy is sent again, as often as the SDK repeats a call. */
    async deleteMany(keys) {
      let left: WriteRequest[] | undefined = keys.map((key) => ({ DeleteRequest: { Key: keyOf(key) } }));
      for (let calls = 0; left !== undefined; calls += 1) {
        if (calls === MOST_CALLS)
          throw new TableError("delete", { isRetryable: true, cause: new Error("it is too busy") });
        const command = new BatchWriteItemCommand({ RequestItems: { [name]: left } });
        const answer: BatchWriteItemCommandOutput = await attempt("delete", () => client.send(command));
        left = answer.UnprocessedItems?.[name];
      }
    },

    /** Reads all pages. */
    async query({ pk, from, to, limit = Infinity }) {
      const items: Item[] = [];
      let after: QueryCommandOutput["LastEvaluatedKey"];
      do {
        const command = new QueryCommand({
          TableName: name,
          ConsistentRead: true,
          KeyConditionExpression: "#pk = :pk AND #sk BETWEEN :from AND :to",
          ExpressionAttributeNames: { "#pk": "pk", "#sk": "sk" },
          ExpressionAttributeValues: { ":pk": { S: pk }, ":from": { S: from }, ":to": { S: to } },
          ...(limit !== Infinity && { Limit: limit - items.length }),
          ...(after !== undefined && { ExclusiveStartKey: after }),
        });
        const answer = await attempt("query", () => client.send(command));
        items.push(...(answer.Items ?? []).map(toItem));
        after = answer.LastEvaluatedKey;
      } while (after !== undefined && items.length < limit);
      return items;
    },
  };
}

function keyOf({ pk, sk }: Key): { pk: { S: string }; sk: { S: string } } {
  return { pk: { S: pk }, sk: { S: sk } };
}

function when(condition: Condition | undefined): object {
  if (condition === undefined) return {};
  const expressions = new Expressions();
  return { ConditionExpression: expressions.condition(condition), ...expressions.placeholders };
}

async function ifItHolds<T>(send: () => Promise<T>): Promise<T | null> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return null;
    throw error;
  }
}

async function attempt<T>(action: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (cause) {
    throw new TableError(action, { isRetryable: canRecover(cause), cause });
  }
}

/** Errors of DynamoDB itself (no such table, no access, a malformed request) are permanent; all others may pass. */
function canRecover(error: unknown): boolean {
  if (!(error instanceof DynamoDBServiceException)) return true;
  const status = error.$metadata.httpStatusCode;
  return error.$retryable !== undefined || error.$fault === "server" || status === undefined || BUSY.has(error.name);
}

const BUSY = new Set([
  "LimitExceededException",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "RequestTimeout",
  "ThrottlingException",
  "TransactionConflictException",
  "ExpiredTokenException",
]);
