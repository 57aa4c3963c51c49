/** The SDK's client with the limits that this program needs. The SDK finds credentials and region itself. */
import { SQSClient } from "@aws-sdk/client-sqs";
import { standInClient } from "@firehose-backfill/core/stand-in-client";

const CONNECT_TIMEOUT_MS = 5_000;
/** Longer than the longest poll (20 s), so that it ends only a call to a server that hangs. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Of a function. After a freeze each idle connection may be dead without a sign; a request that runs into one is given up and sent again, on
 * the next one. There are fewer connections than attempts, so that the last attempt has a new one.
 */
const FEW_SOCKETS = { keepAlive: true, maxSockets: 2 };

export interface SqsClientOptions {
  /** A stand-in's address; it gets invented credentials and ignores the environment. null: the SDK finds AWS (or AWS_ENDPOINT_URL_SQS). */
  readonly endpoint: string | null;
  /** Shorter limits than these, for a function that has to be done before Lambda ends it. */
  readonly limits?: { readonly connectTimeoutMs: number; readonly requestTimeoutMs: number };
}

export function createSqsClient(options: SqsClientOptions): SQSClient {
  const requestHandler = {
    connectionTimeout: options.limits?.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    requestTimeout: options.limits?.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
    ...(options.limits === undefined ? {} : { httpAgent: FEW_SOCKETS, httpsAgent: FEW_SOCKETS }),
  };
  if (options.endpoint === null) return new SQSClient({ requestHandler });
  return new SQSClient({ requestHandler, ...standInClient(options.endpoint) });
}
