/** The SDK's client with the limits that this program needs. The SDK itself looks up credentials and region. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { requestHandlerOf, type RequestLimits, withoutUnusedSteps } from "@firehose-backfill/core/sdk-requests";
import { STAND_IN_TABLE, standInClient } from "@firehose-backfill/core/stand-in-client";

/** Every call takes milliseconds. So a call without an answer is given up, and the SDK repeats it. */
const LIMITS: RequestLimits = { connectTimeoutMs: 5_000, requestTimeoutMs: 10_000 };

export interface DynamoClientOptions {
  /**
   * The endpoint of a stand-in. Requests to it have made-up credentials and use nothing of the environment. null: the SDK
   * decides (AWS_ENDPOINT_URL_DYNAMODB, or AWS itself).
   */
  readonly endpoint: string | null;
  /** Shorter limits than these, for a function that must finish before Lambda ends it. */
  readonly limits?: RequestLimits;
}

export function createDynamoClient(options: DynamoClientOptions): DynamoDBClient {
  const requestHandler = requestHandlerOf(LIMITS, options.limits);
  const { endpoint } = options;
  if (endpoint === null) return withoutUnusedSteps(new DynamoDBClient({ requestHandler }), { isStandIn: false });
  const client = new DynamoDBClient({ requestHandler, ...standInClient(endpoint, "dynamodb"), ...STAND_IN_TABLE });
  return withoutUnusedSteps(client, { isStandIn: true });
}
