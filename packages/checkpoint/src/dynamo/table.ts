/**
 * The five calls that the store makes of DynamoDB: Get, Put, Update, Query, Delete. Reads are consistent; a condition
 * that does not hold is an answer, not an error.
 *
 * Each item carries the version of its layout. This program reads its own and the one before, writes its own, and of a
 * newer one it neither reads nor changes anything: a deploy meets the old items, a roll-back the new ones.
 *
 * @NOTE The SDK repeats a call whose answer was lost. A conditional write that did succeed then comes back as one whose
 * condition failed. Each caller of `put` and `update` either looks at what stands there, or may be repeated, or says so.
 */
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  DynamoDBServiceException,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { NewerItemError, TableError } from "../errors.ts";
import { type Item, nameOf, number, readCount } from "./attributes.ts";
import { absent, all, any, type Change, compare, type Condition, Expressions } from "./expressions.ts";
import type { Key } from "./keys.ts";

/** Raised with every change of a layout that the version before cannot read. Items from before versions have none: 0. */
export const ITEM_VERSION = 1;
const VERSION = "v";

export interface Range {
  readonly pk: string;
  /** Sort keys, both inclusive. */
  readonly from: string;
  readonly to: string;
  /** Unlimited unless told. */
  readonly limit?: number;
}

/**
 * Every method @throws TableError when the call fails after the SDK's own retries; those that read, NewerItemError. An
 * item of a newer version fails the condition of every change.
 */
export interface Table {
  get(key: Key): Promise<Item | null>;
  /** false: the condition does not hold. */
  put(key: Key, item: Item, condition?: Condition): Promise<boolean>;
  /** The item after it; null: the condition does not hold. Creates the item unless the condition forbids it. */
  update(key: Key, change: Change, condition?: Condition): Promise<Item | null>;
  delete(key: Key, condition?: Condition): Promise<boolean>;
  /** In the order of the sort keys, over as many pages as it takes. */
  query(range: Range): Promise<Item[]>;
}

export function openTable(client: DynamoDBClient, name: string): Table {
  return {
    async get(key) {
      const command = new GetItemCommand({ TableName: name, Key: keyOf(key), ConsistentRead: true });
      const answer = await attempt("get", () => client.send(command));
      return answer.Item === undefined ? null : readable(answer.Item);
    },

    async put(key, item, condition) {
      const command = new PutItemCommand({
        TableName: name,
        Item: { ...item, ...keyOf(key), [VERSION]: number(ITEM_VERSION) },
        ...when(withinReach(condition)),
      });
      return (await attempt("put", () => ifItHolds(() => client.send(command)))) !== null;
    },

    async update(key, change, condition) {
      const expressions = new Expressions();
      const command = new UpdateItemCommand({
        TableName: name,
        Key: keyOf(key),
        UpdateExpression: expressions.update({ ...change, set: { ...change.set, [VERSION]: number(ITEM_VERSION) } }),
        ConditionExpression: expressions.condition(withinReach(condition)),
        ...expressions.placeholders,
        ReturnValues: "ALL_NEW",
      });
      const answer = await attempt("update", () => ifItHolds(() => client.send(command)));
      return answer === null ? null : (answer.Attributes ?? {});
    },

    async delete(key, condition) {
      const command = new DeleteItemCommand({ TableName: name, Key: keyOf(key), ...when(condition) });
      return (await attempt("delete", () => ifItHolds(() => client.send(command)))) !== null;
    },

    async query(range) {
      const items: Item[] = [];
      const limit = range.limit ?? Infinity;
      let after: Item | undefined;
      do {
        const command = new QueryCommand({
          TableName: name,
          ConsistentRead: true,
          KeyConditionExpression: "#pk = :pk AND #sk BETWEEN :from AND :to",
          ExpressionAttributeNames: { "#pk": "pk", "#sk": "sk" },
          ExpressionAttributeValues: { ":pk": { S: range.pk }, ":from": { S: range.from }, ":to": { S: range.to } },
          ...(limit !== Infinity && { Limit: limit - items.length }),
          ...(after !== undefined && { ExclusiveStartKey: after }),
        });
        const answer = await attempt("query", () => client.send(command));
        items.push(...(answer.Items ?? []).map(readable));
        after = answer.LastEvaluatedKey;
      } while (after !== undefined && items.length < limit);
      return items;
    },
  };
}

function readable(item: Item): Item {
  const version = readCount(item, VERSION);
  if (version > ITEM_VERSION) throw new NewerItemError(nameOf(item), version);
  return item;
}

function withinReach(condition: Condition | undefined): Condition {
  const isOurs = any(absent(VERSION), compare(VERSION, "<=", number(ITEM_VERSION)));
  return condition === undefined ? isOurs : all(condition, isOurs);
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

/** What DynamoDB itself refused (no such table, no access, a malformed request) stays refused; all else may pass. */
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
