/**
 * One GET to a host that we do not control. Everything is bounded: the addresses, the duration, the least speed, the bytes received, and
 * the bytes after decompression. Redirects are not followed.
 */
import type { Agent as HttpAgent, ClientRequest, IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Clock } from "@firehose-backfill/core/clock";
import { ResponseTooLargeError } from "../errors.ts";
import { isLoopbackAddress, isPublicAddress } from "./addresses.ts";
import type { Endpoint } from "./endpoint.ts";
import { guardedLookup, type ResolveName } from "./guarded-lookup.ts";
import { ForbiddenAddressError, HostError } from "./http-errors.ts";
import { watchSpeed } from "./speed-watch.ts";

/**
 * Not imported: an import reads every export of a built-in module, and one of this module loads undici, which took a fifth of the reader's
 * cold start. Only hosts on loopback are called without TLS.
 */
const http = process.getBuiltinModule("node:http");

export interface RequestLimits {
  /** Bytes as they arrive. */
  readonly maxBytes: number;
  readonly maxInflatedBytes: number;
  /** From the request to the last byte. */
  readonly deadlineMs: number;
  /** From the request to the first byte of the answer. Left out: only the deadline counts. */
  readonly firstByteMs?: number;
  /** While we wait for bytes, at least this many must arrive in each window. */
  readonly minBytesPerWindow: number;
  readonly windowMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** Takes names in lower case; null: the answer has no such header. */
  readonly header: (name: string) => string | null;
  /** After decompression. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Connections that are kept alive between requests; `destroy` closes them. */
export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

export function openAgents(connectionsPerHost = 1): Agents {
  // Idle connections are closed after a while, because there are many hosts and most serve one repository only.
  const options = {
    keepAlive: true,
    maxSockets: connectionsPerHost,
    maxFreeSockets: connectionsPerHost,
    timeout: 30_000,
  };
  return { http: new http.Agent(options), https: new HttpsAgent(options) };
}

export interface RequestContext {
  readonly agents: Agents;
  readonly clock: Clock;
  readonly resolveName: ResolveName;
  readonly userAgent: string;
}

export interface Get {
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly accept: string;
}

/** Sends a request. A simulation answers in memory instead, because a virtual clock does not wait for sockets. */
export type SendGet = typeof sendGet;

/** The host closed the kept-alive connection before it read the request: the request is sent once more on a new connection. */
class StaleConnection extends Error {}

/**
 * Sends the request and passes the answer to `use` when its head has arrived. If `use` does not read the whole body, the connection is closed.
 * @throws ForbiddenAddressError, HostError, ResponseTooLargeError, and what `use` throws
 */
export async function sendGet<T>(
  get: Get,
  limits: RequestLimits,
  context: RequestContext,
  signal: AbortSignal,
  use: (answer: HttpAnswer) => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await sendOnce(get, limits, context, signal, use);
    } catch (error) {
      // This loop ends: each retry closes one kept-alive connection, and a new connection cannot be stale.
      if (!(error instanceof StaleConnection)) throw error;
    }
  }
}

async function sendOnce<T>(
  { endpoint, path, accept }: Get,
  limits: RequestLimits,
  context: RequestContext,
  signal: AbortSignal,
  use: (answer: HttpAnswer) => Promise<T>,
): Promise<T> {
  const { agents, clock, resolveName, userAgent } = context;
  const send = endpoint.isSecure ? httpsRequest : http.request;
  const request = send({
    agent: endpoint.isSecure ? agents.https : agents.http,
    hostname: endpoint.hostname,
    port: endpoint.port,
    path,
    method: "GET",
    lookup: guardedLookup(resolveName, endpoint),
    headers: { accept, "accept-encoding": "gzip", "user-agent": userAgent },
  });
  /** Why we ended the request ourselves: an error of the socket after that is ignored. */
  let ours: Error | null = null;
  const stop = (error: Error): void => {
    ours ??= error;
    request.destroy(error);
  };
  const onAbort = (): void => stop(new HostError("unreachable", "the request was stopped"));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const watch = watchSpeed(limits, clock, stop);
  request.on("socket", (socket) => checkConnected(socket, endpoint, stop));
  let response: IncomingMessage | null = null;
  try {
    response = await headOf(request);
    watch.answered();
    const { headers, statusCode: status = 0 } = response;
    if (status >= 300 && status < 400) {
      throw new HostError(
        "redirect",
        `${endpoint.host} answered with a redirect (HTTP ${status}), which is not followed`,
      );
    }
    const header = (name: string): string | null => {
      const value = headers[name];
      return typeof value === "string" ? value : (value?.[0] ?? null);
    };
    const body = readBody(response, limits, watch.waiting);
    return await use({ status, header, body });
  } catch (error) {
    if (ours === null && response === null && request.reusedSocket && isReset(error)) throw new StaleConnection();
    throw ours ?? asHostError(error, endpoint);
  } finally {
    watch.end();
    signal.removeEventListener("abort", onAbort);
    // A body that was read to its end has already released its connection.
    if (response?.complete !== true) request.destroy();
  }
}

function headOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on("response", resolve);
    // This listener stays: an error after the head reaches the caller through the body and must not end the process.
    request.on("error", reject);
    request.end();
  });
}

/** The look-up returned only allowed addresses; this checks the address of the connection, whatever resolved it. */
function checkConnected(socket: Socket, endpoint: Endpoint, stop: (error: Error) => void): void {
  const check = (): void => {
    const { remoteAddress = "" } = socket;
    const isAllowed = endpoint.isLoopback ? isLoopbackAddress(remoteAddress) : isPublicAddress(remoteAddress);
    if (!isAllowed)
      stop(new ForbiddenAddressError(`${endpoint.host} is at ${remoteAddress}, which is not a public address`));
  };
  if (socket.connecting) socket.once("connect", check);
  else check();
}

async function* readBody(
  response: IncomingMessage,
  limits: RequestLimits,
  waiting: <T>(read: Promise<T>, sizeOf: () => number) => Promise<T>,
): AsyncGenerator<Uint8Array> {
  const encoding = response.headers["content-encoding"] ?? "identity";
  if (encoding !== "gzip" && encoding !== "identity") {
    throw new HostError("bad-answer", `the answer is encoded as ${encoding}, which was not asked for`);
  }
  const arrived = { bytes: 0 };
  const plain = counted(response, arrived, limits.maxBytes);
  const stream: AsyncIterable<Uint8Array> =
    encoding === "gzip" ? pipeline(plain, createGunzip(), () => undefined) : plain;
  const chunks = stream[Symbol.asyncIterator]();
  let inflated = 0;
  try {
    for (;;) {
      const { done, value } = await waiting(chunks.next(), () => arrived.bytes);
      if (done === true) return;
      inflated += value.length;
      if (inflated > limits.maxInflatedBytes) {
        throw new ResponseTooLargeError(`the answer inflates to more than ${limits.maxInflatedBytes} bytes`);
      }
      yield value;
    }
  } finally {
    await chunks.return?.();
  }
}

async function* counted(
  response: IncomingMessage,
  arrived: { bytes: number },
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterable<Buffer> = response;
  for await (const chunk of chunks) {
    arrived.bytes += chunk.length;
    if (arrived.bytes > maxBytes) throw new ResponseTooLargeError(`the answer is larger than ${maxBytes} bytes`);
    yield chunk;
  }
}

function isReset(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

/** Turns Node's errors of sockets, names and gzip into a HostError; classified errors stay as they are. */
function asHostError(error: unknown, { host }: Endpoint): unknown {
  if (!(error instanceof Error) || "isRetryable" in error) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : null;
  if (code === null) return error;
  if (code.startsWith("Z_")) return new HostError("bad-answer", `${host} sent gzip that is none`, { cause: error });
  return new HostError("unreachable", `${host} cannot be reached`, { cause: error });
}
