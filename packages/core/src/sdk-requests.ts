/** How the SDK's clients send requests: their time limits, how many connections they may keep, and the steps that they leave out. */

export interface RequestLimits {
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/**
 * Of a function. After a freeze each idle connection may be dead without a sign; a request that runs into one is given up and sent again, on
 * the next one. There are fewer connections than attempts, so that the last attempt has a new one.
 */
const FEW_SOCKETS = { keepAlive: true, maxSockets: 2 };

/** `ofFunction`: the shorter limits of a function, which Lambda may freeze at any time; absent: a long-lived process. */
export function requestHandlerOf(usual: RequestLimits, ofFunction: RequestLimits | undefined) {
  const { connectTimeoutMs, requestTimeoutMs } = ofFunction ?? usual;
  return {
    connectionTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    throwOnRequestTimeout: true,
    ...(ofFunction === undefined ? {} : { httpAgent: FEW_SOCKETS, httpsAgent: FEW_SOCKETS }),
  };
}

/** Prepares for each request what a logger would write; our clients have none. */
const OF_LOGGER = ["loggerMiddleware"];
/** Headers that a stand-in does not read: the SDK's version and features, and the trace of X-Ray. */
const OF_AWS = ["getUserAgentMiddleware", "recursionDetectionMiddleware"];

interface Client {
  readonly middlewareStack: { remove(name: string): boolean };
}

/**
 * Takes the steps out of a client that nobody needs. The first kind is a ninth of the CPU time that the SDK takes for a request, and the
 * second kind is another ninth.
 */
export function withoutUnusedSteps<C extends Client>(client: C, { isStandIn }: { readonly isStandIn: boolean }): C {
  for (const name of isStandIn ? [...OF_LOGGER, ...OF_AWS] : OF_LOGGER) client.middlewareStack.remove(name);
  return client;
}
