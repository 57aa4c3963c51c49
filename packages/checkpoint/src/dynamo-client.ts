/** The SDK's client with the limits that this program needs. Credentials and region are the SDK's to find. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { STAND_IN_TABLE, standInClient } from "@firehose-backfill/core/stand-in-client";

const CONNECT_TIMEOUT_MS = 5_000;
/** A server that hangs is given up, and asked again by the SDK: every call here answers in milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface DynamoClientOptions {
  /** A stand-in's; it gets made-up credentials, and nothing of the environment. null: the SDK finds it (AWS_ENDPOINT_URL_DYNAMODB, or AWS itself). */
  readonly endpoint: string | null;
  /** Shorter limits than these, for a function that has to be done before Lambda ends it. */
  readonly limits?: { readonly connectTimeoutMs: number; readonly requestTimeoutMs: number };
}

export function createDynamoClient(options: DynamoClientOptions): DynamoDBClient {
  const requestHandler = {
    connectionTimeout: options.limits?.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    requestTimeout: options.limits?.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
  };
  if (options.endpoint === null) return new DynamoDBClient({ requestHandler });
  return new DynamoDBClient({ requestHandler, ...standInClient(options.endpoint), ...STAND_IN_TABLE });
}
