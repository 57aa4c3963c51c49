/** The SDK's client with the limits that this program needs. Credentials and region are the SDK's to find. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { STAND_IN_TABLE, standInClient } from "@firehose-backfill/core/stand-in-client";

const CONNECT_TIMEOUT_MS = 5_000;
/** A server that hangs is given up, and asked again by the SDK: every call here answers in milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Of a function. After a freeze each idle connection may be dead without a sign; a request that runs into one is given up and sent again, on
 * the next one. There are fewer connections than attempts, so that the last attempt has a new one.
 */
const FEW_SOCKETS = { keepAlive: true, maxSockets: 2 };

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
    ...(options.limits === undefined ? {} : { httpAgent: FEW_SOCKETS, httpsAgent: FEW_SOCKETS }),
  };
  if (options.endpoint === null) return new DynamoDBClient({ requestHandler });
  return new DynamoDBClient({ requestHandler, ...standInClient(options.endpoint), ...STAND_IN_TABLE });
}
