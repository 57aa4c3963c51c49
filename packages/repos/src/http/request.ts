/**
 * One GET to a stranger's host, with everything bounded: where it connects to, how long it takes, how slowly it comes, how many bytes arrive and how
 * many they inflate to. Redirects are not followed.
 */
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
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

export interface RequestLimits {
  /** As they arrive, and after inflating. */
  readonly maxBytes: number;
  readonly maxInflatedBytes: number;
  /** From the request to the last byte. */
  readonly deadlineMs: number;
  /** While we wait for bytes, at least so many of them must come in a window. */
  readonly minBytesPerWindow: number;
  readonly windowMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; null: there is none. */
  readonly header: (name: string) => string | null;
  /** Inflated. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Connections: one a host, kept open between requests, closed by `destroy`. */
export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

export function openAgents(connectionsPerHost = 1): Agents {
  // An idle connection is closed after a while: hosts are many, and most are asked for one repository only.
  const options = {
    keepAlive: true,
    maxSockets: connectionsPerHost,
    maxFreeSockets: connectionsPerHost,
    timeout: 30_000,
  };
  return { http: new HttpAgent(options), https: new HttpsAgent(options) };
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

/** The host had closed the kept connection before it saw the request: it is sent once more, on a new one. */
class StaleConnection extends Error {}

/**
 * Sends it, and gives the answer to `use` as soon as its head is here. What `use` leaves unread is thrown away with the connection.
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
      // Bounded: each one closes a kept connection, and a new one is not kept yet.
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
  const send = endpoint.isSecure ? httpsRequest : httpRequest;
  const request = send({
    agent: endpoint.isSecure ? agents.https : agents.http,
    hostname: endpoint.hostname,
    port: endpoint.port,
    path,
    method: "GET",
    lookup: guardedLookup(resolveName, endpoint),
    headers: { accept, "accept-encoding": "gzip", "user-agent": userAgent },
  });
  /** Why we ended it ourselves: what the socket says then is of no interest. */
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
    // A body that was read to its end has freed its connection already.
    if (response?.complete !== true) request.destroy();
  }
}

function headOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on("response", resolve);
    // Stays for good: an error after the answer is told by its body, and must not end the process.
    request.on("error", reject);
    request.end();
  });
}

/** The look-up gave only addresses that are allowed; this sees the one that was connected to, whatever gave it. */
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

/** What Node says of sockets, names and gzip; errors that classify themselves stay what they are. */
function asHostError(error: unknown, { host }: Endpoint): unknown {
  if (!(error instanceof Error) || "isRetryable" in error) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : null;
  if (code === null) return error;
  if (code.startsWith("Z_")) return new HostError("bad-answer", `${host} sent gzip that is none`, { cause: error });
  return new HostError("unreachable", `${host} cannot be reached`, { cause: error });
}
