/** The time limits of requests that the SDK's clients send, and how many connections they may keep. Pure values. */

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
