/**
 * One WebSocket connection to a relay, from the upgrade to its end. It hands out frames as they come, and it says why it ended.
 * It does not read frames, it does not wait, and it does not connect again.
 */
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { quote } from "./quote.ts";
import { MAX_FRAME_BYTES } from "./frame-types.ts";

/** The limit of a connection that has to accept a frame which is too large. The frame is recorded then, and does not end every connection. */
export const OVERSIZE_FRAME_BYTES = 64_000_000;
const MAX_ERROR_BODY_BYTES = 2_048;
const PATH = "/xrpc/com.atproto.sync.subscribeRepos";

export type ConnectionEnd =
  /** It was open, and either side has closed it, cleanly or not. */
  | { readonly kind: "closed"; readonly code: number; readonly reason: string }
  /** A frame was longer than allowed. None of its bytes is known. */
  | { readonly kind: "frame-too-large" }
  /** It never opened. */
  | { readonly kind: "failed"; readonly error: string }
  /** The server answered with an HTTP status instead of the upgrade. */
  | {
      readonly kind: "http";
      readonly status: number;
      /** The header as it came: seconds, or a date. */
      readonly retryAfter: string | null;
      /** The beginning of the body, for a person. */
      readonly body: string;
    };

export interface ConnectionOptions {
  /** `wss://host[:port]` */
  readonly url: string;
  /** null: without a cursor, so the host sends live frames. */
  readonly cursor: number | null;
  readonly userAgent: string;
  readonly maxFrameBytes?: number;
  readonly onOpen: () => void;
  /** Called synchronously for each frame. The bytes are a view into the buffer of the socket. The callee has to refuse text frames. */
  readonly onFrame: (bytes: Buffer, isBinary: boolean) => void;
  readonly onPong: () => void;
  /** Called once, and after it nothing is called. It is not called after `drop`. */
  readonly onEnd: (end: ConnectionEnd) => void;
}

export interface Connection {
  ping(): void;
  /** Frames that were already received may still come. */
  pause(): void;
  resume(): void;
  /** Ends it at once. Nothing is called any more. */
  drop(): void;
}

/** Without a cursor the parameter is left out, because some servers take an empty one as an error. */
export function subscribeUrl(url: string, cursor: number | null): string {
  const target = new URL(PATH, url);
  if (cursor !== null) target.searchParams.set("cursor", String(cursor));
  return target.href;
}

export function connect(options: ConnectionOptions): Connection {
  const socket = new WebSocket(subscribeUrl(options.url, options.cursor), {
    perMessageDeflate: false,
    maxPayload: options.maxFrameBytes ?? MAX_FRAME_BYTES,
    // A text frame is recorded as broken, so it has to arrive, also if it is not valid UTF-8.
    skipUTF8Validation: true,
    followRedirects: false,
    headers: { "User-Agent": options.userAgent },
  });
  let isOpen = false;
  let isOver = false;
  let failure: Error | null = null;

  const end = (result: ConnectionEnd): void => {
    if (isOver) return;
    isOver = true;
    options.onEnd(result);
  };
  socket.on("open", () => {
    isOpen = true;
    if (!isOver) options.onOpen();
  });
  socket.on("message", (data, isBinary) => {
    // It is always a Buffer, because `nodebuffer` is the default.
    if (!isOver && Buffer.isBuffer(data)) options.onFrame(data, isBinary);
  });
  socket.on("pong", () => {
    if (!isOver) options.onPong();
  });
  socket.on("unexpected-response", (request, response) => {
    readBody(response, (body) => {
      const { statusCode: status = 0, headers } = response;
      request.destroy();
      end({ kind: "http", status, retryAfter: headers["retry-after"] ?? null, body });
      socket.terminate();
    });
  });
  socket.on("error", (error) => {
    failure = error;
  });
  socket.on("close", (code, reason) => {
    if (isTooLarge(failure)) end({ kind: "frame-too-large" });
    else if (isOpen) end({ kind: "closed", code, reason: quote(failure?.message ?? reason.toString("utf8")) });
    else end({ kind: "failed", error: quote(describe(failure)) });
  });

  return {
    ping: () => socket.ping(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    drop: () => {
      isOver = true;
      socket.terminate();
    },
  };
}

function isTooLarge(failure: Error | null): boolean {
  return failure !== null && "code" in failure && failure.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
}

/** If several addresses failed, the error is an AggregateError without a message. */
function describe(failure: Error | null): string {
  if (failure === null) return "the connection ended before it was open";
  if (failure instanceof AggregateError && failure.message === "") return failure.errors.map(String).join("; ");
  return failure.message;
}

/** Reads the beginning of a body, which may be HTML, endless, or slow. Calls `done` once, at the end of the body or at the limit. */
function readBody(response: IncomingMessage, done: (body: string) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  let isDone = false;
  const finish = (): void => {
    if (isDone) return;
    isDone = true;
    done(Buffer.concat(chunks).toString("utf8").slice(0, MAX_ERROR_BODY_BYTES));
  };
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_ERROR_BODY_BYTES) finish();
  });
  response.on("end", finish);
  response.on("close", finish);
  response.on("error", finish);
}
