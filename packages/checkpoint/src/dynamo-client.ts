/** The SDK's client with the limits that this program needs. Credentials and region are the SDK's to find. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { requestHandlerOf, type RequestLimits, withoutUnusedSteps } from "@firehose-backfill/core/sdk-requests";
import { STAND_IN_TABLE, standInClient } from "@firehose-backfill/core/stand-in-client";

/** A server that hangs is given up, and asked again by the SDK: every call here answers in milliseconds. */
const LIMITS: RequestLimits = { connectTimeoutMs: 5_000, requestTimeoutMs: 10_000 };

export interface DynamoClientOptions {
  /** A stand-in's; it gets made-up credentials, and nothing of the environment. null: the SDK finds it (AWS_ENDPOINT_URL_DYNAMODB, or AWS itself). */
  readonly endpoint: string | null;
  /** Shorter limits than these, for a function that has to be done before Lambda ends it. */
  readonly limits?: RequestLimits;
}

export function createDynamoClient(options: DynamoClientOptions): DynamoDBClient {
  const requestHandler = requestHandlerOf(LIMITS, options.limits);
  const { endpoint } = options;
  if (endpoint === null) return withoutUnusedSteps(new DynamoDBClient({ requestHandler }), { isStandIn: false });
  const client = new DynamoDBClient({ requestHandler, ...standInClient(endpoint), ...STAND_IN_TABLE });
  return withoutUnusedSteps(client, { isStandIn: true });
}
