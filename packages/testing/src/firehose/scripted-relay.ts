/** A relay on loopback that does what a test says, connection by connection, over real sockets. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";

export interface Visit {
  /** From 0, in the order they came. */
  readonly index: number;
  /** The cursor as it was sent; null: absent. */
  readonly cursor: string | null;
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
}

export interface ScriptedRelayOptions {
  /** After the upgrade. */
  readonly onConnect?: (visit: Visit) => void;
  /** Called before the upgrade; may write an HTTP answer instead. Returns false to upgrade anyway. */
  readonly onUpgrade?: (socket: Duplex, index: number) => boolean;
  /** Pings are not answered. */
  readonly isDeaf?: boolean;
}

export interface ScriptedRelay extends AsyncDisposable {
  readonly url: string;
  readonly visits: readonly Visit[];
  /** The number of upgrade requests, refused ones included. */
  readonly attempts: () => number;
  readonly mostOpen: () => number;
}

export async function startRelay(options: ScriptedRelayOptions): Promise<ScriptedRelay> {
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true, autoPong: options.isDeaf !== true });
  const visits: Visit[] = [];
  let attempts = 0;
  let mostOpen = 0;
  const connections = new Set<Duplex>();
  server.on("connection", (socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
  });
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => undefined);
    const index = attempts++;
    if (options.onUpgrade?.(socket, index) === true) return;
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on("error", () => undefined);
      mostOpen = Math.max(mostOpen, sockets.clients.size);
      const cursor = new URL(request.url ?? "/", "http://relay").searchParams.get("cursor");
      const visit = { index, cursor, socket: client, request };
      visits.push(visit);
      options.onConnect?.(visit);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("not a TCP server");
  return {
    url: `ws://127.0.0.1:${address.port}`,
    visits,
    attempts: () => attempts,
    mostOpen: () => mostOpen,
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of connections) socket.destroy();
      await once(server, "close");
    },
  };
}

/** Serves frames as a relay does: those above the cursor, or none without a cursor. */
export function serve(frames: readonly { readonly seq: number; readonly bytes: Buffer }[]): (visit: Visit) => void {
  return ({ cursor, socket }) => {
    if (cursor === null) return;
    for (const { seq, bytes } of frames) if (seq > Number(cursor)) socket.send(bytes);
  };
}
