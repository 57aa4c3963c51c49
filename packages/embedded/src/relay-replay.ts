/**
 * A relay in this process: serves a log over `com.atproto.sync.subscribeRepos` on a real WebSocket, with the cursor
 * rules of existing servers. It applies back-pressure and never disconnects a slow reader.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type WebSocket, WebSocketServer } from "ws";
import { encodeErrorFrame, encodeInfoFrame } from "./relay-frame.ts";
import { type FrameLog, memoryLog } from "./relay-log.ts";

/** How servers differ (docs/gotchas.md). The defaults are those of the TypeScript PDS. */
export interface RelayManners {
  /** For a cursor above the head, the PDS answers `FutureCursor`; the Go relay sends live events without a message. */
  readonly aboveHead?: "future-cursor" | "live";
  /** For a cursor below the window, the PDS sends `#info OutdatedCursor` first; the Go relay and rainbow send no message. */
  readonly belowWindow?: "info" | "silent";
  /** The PDS and the Go relay send events above the cursor; rainbow sends the cursor's own event again. */
  readonly fromCursor?: "above" | "at";
}

export interface ReplayRelayOptions extends RelayManners {
  /** Frames in the order of seq, or a log of your own. */
  readonly frames: Iterable<Uint8Array> | FrameLog;
  /** On 127.0.0.1; 0, the default: any free port. */
  readonly port?: number;
}

export interface ReplayRelay extends AsyncDisposable {
  /** `ws://127.0.0.1:PORT`, valid for RELAY_URL. */
  readonly url: string;
  readonly port: number;
  /** The log that it serves. Call `wake()` after it has grown. */
  readonly log: FrameLog;
  /** The number of open subscriptions. */
  readonly connections: number;
  /** Sends new frames of the log to all live subscribers. */
  wake(): void;
  /** Closes every connection without a close frame, as a crash does. */
  dropConnections(): void;
}

const PATH = "/xrpc/com.atproto.sync.subscribeRepos";
const CLOSE_POLICY = 1008;
/** Above this many buffered bytes, the next frame waits until the kernel has accepted the last one. */
const HIGH_WATER_BYTES = 1 << 20;
/** With a fast reader, sending never waits; other work of this process must still get its turn. */
const FRAMES_PER_TURN = 128;

export async function startReplayRelay(options: ReplayRelayOptions): Promise<ReplayRelay> {
  const log = isLog(options.frames) ? options.frames : memoryLog(options.frames);
  const http = createServer((request, response) => {
    const isPath = request.url?.startsWith(PATH) === true;
    response.writeHead(isPath ? 426 : 404, { "content-type": "text/plain" });
    response.end(isPath ? "a WebSocket is served here\n" : "not found\n");
  });
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 4096 });
  const wakeups = new Set<() => void>();
  http.on("upgrade", (request, socket: Duplex, head) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "ws://relay");
    if (pathname !== PATH) {
      socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client: WebSocket, _request: IncomingMessage) => {
      // A client that breaks off, or sends something invalid, ends only its own connection.
      client.on("error", () => client.terminate());
      void serve(client, searchParams.get("cursor"), { log, manners: options, wakeups });
    });
  });
  const port = await listen(http, options.port ?? 0);
  const wake = () => {
    for (const wakeup of wakeups) wakeup();
  };
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    log,
    get connections() {
      return sockets.clients.size;
    },
    wake,
    dropConnections: () => {
      for (const client of sockets.clients) client.terminate();
    },
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.terminate();
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    },
  };
}

interface Service {
  readonly log: FrameLog;
  readonly manners: RelayManners;
  readonly wakeups: Set<() => void>;
}

async function serve(client: WebSocket, cursor: string | null, service: Service): Promise<void> {
  const { log, manners, wakeups } = service;
  const start = startOf(cursor, log, manners);
  if (start.kind === "refused") {
    client.send(encodeErrorFrame(start.error, start.message));
    client.close(CLOSE_POLICY, start.error);
    return;
  }
  if (start.outdated)
    client.send(encodeInfoFrame("OutdatedCursor", "Requested cursor exceeded limit. Possibly missing events"));
  let sentSeq = start.afterSeq;
  while (client.readyState === client.OPEN) {
    sentSeq = await sendAfter(client, log, sentSeq);
    if (log.headSeq <= sentSeq) await untilWoken(client, wakeups);
  }
}

/** Sends the frames of the log above `seq`; returns the last sequence number sent. */
async function sendAfter(client: WebSocket, log: FrameLog, seq: number): Promise<number> {
  let sentSeq = seq;
  let inThisTurn = 0;
  for (const entry of log.after(seq)) {
    if (client.readyState !== client.OPEN) return sentSeq;
    if (client.bufferedAmount > HIGH_WATER_BYTES) await sendAndDrain(client, entry.frame);
    else client.send(entry.frame);
    sentSeq = entry.seq;
    inThisTurn += 1;
    if (inThisTurn % FRAMES_PER_TURN === 0) await nextTurn();
  }
  return sentSeq;
}

/** Resolves when the kernel has accepted the frame, or the connection is gone. */
function sendAndDrain(client: WebSocket, frame: Uint8Array): Promise<void> {
  return new Promise((resolve) => client.send(frame, () => resolve()));
}

function untilWoken(client: WebSocket, wakeups: Set<() => void>): Promise<void> {
  return new Promise((resolve) => {
    const wakeup = () => {
      wakeups.delete(wakeup);
      client.off("close", wakeup);
      resolve();
    };
    wakeups.add(wakeup);
    client.once("close", wakeup);
  });
}

type Start =
  | { readonly kind: "from"; readonly afterSeq: number; readonly outdated: boolean }
  | { readonly kind: "refused"; readonly error: string; readonly message: string };

function startOf(cursor: string | null, log: FrameLog, manners: RelayManners): Start {
  // An empty cursor is treated as no cursor.
  if (cursor === null || cursor === "") return { kind: "from", afterSeq: log.headSeq, outdated: false };
  const seq = /^\d+$/.test(cursor) ? Number(cursor) : Number.NaN;
  if (!Number.isSafeInteger(seq)) {
    return {
      kind: "refused",
      error: "InvalidRequest",
      message: "Error: Params must have the property cursor as an integer",
    };
  }
  if (seq > log.headSeq) {
    if (manners.aboveHead === "live") return { kind: "from", afterSeq: log.headSeq, outdated: false };
    return { kind: "refused", error: "FutureCursor", message: "Cursor in the future." };
  }
  const outdated = seq > 0 && seq < log.trimmedSeq && manners.belowWindow !== "silent";
  return { kind: "from", afterSeq: manners.fromCursor === "at" ? seq - 1 : seq, outdated };
}

function isLog(frames: Iterable<Uint8Array> | FrameLog): frames is FrameLog {
  return "headSeq" in frames;
}

/** Resolves with the actual port. */
function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      const address = server.address();
      if (typeof address === "object" && address !== null) resolve(address.port);
      else reject(new Error("not a TCP port"));
    });
  });
}
