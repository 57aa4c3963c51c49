/** The SDK's client with the limits that this program needs. The SDK finds credentials and region itself. */
import { SQSClient } from "@aws-sdk/client-sqs";
import { requestHandlerOf, type RequestLimits, withoutUnusedSteps } from "@firehose-backfill/core/sdk-requests";
import { standInClient } from "@firehose-backfill/core/stand-in-client";

/** Longer than the longest poll (20 s), so that it ends only a call to a server that hangs. */
const LIMITS: RequestLimits = { connectTimeoutMs: 5_000, requestTimeoutMs: 30_000 };

export interface SqsClientOptions {
  /** A stand-in's address; it gets invented credentials and ignores the environment. null: the SDK finds AWS (or AWS_ENDPOINT_URL_SQS). */
  readonly endpoint: string | null;
  /** Shorter limits than these, for a function that has to be done before Lambda ends it. */
  readonly limits?: RequestLimits;
}

export function createSqsClient(options: SqsClientOptions): SQSClient {
  const requestHandler = requestHandlerOf(LIMITS, options.limits);
  const { endpoint } = options;
  if (endpoint === null) return withoutUnusedSteps(new SQSClient({ requestHandler }), { isStandIn: false });
  const client = new SQSClient({ requestHandler, ...standInClient(endpoint, "sqs") });
  return withoutUnusedSteps(client, { isStandIn: true });
}
