/**
 * A direct socket with the interface of a WebSocket, so that one driver works for both: Neon's driver needs a WebSocket
 * constructor, and any other Postgres needs TCP or a Unix socket. There is no framing: bytes are passed on unchanged.
 */
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { WebSocketConstructor, WebSocketLike } from "@neondatabase/serverless";
import type { DatabaseTarget } from "./database-url.ts";
import { upgradeToTls } from "./tls-upgrade.ts";

export interface DirectSocketOptions {
  readonly target: DatabaseTarget;
  /** From the first packet to the end of the TLS handshake. */
  readonly connectTimeoutMs: number;
}

type EventName = "open" | "message" | "close" | "error";

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

const KEEP_ALIVE_MS = 30_000;
/** How long the server may take to close its side. A frozen server would keep the socket in the pool for ever. */
const CLOSE_TIMEOUT_MS = 500;

/** The driver passes a URL that it built itself; the address was decided before and is used instead. */
export function directSocket(options: DirectSocketOptions): WebSocketConstructor {
  return class extends DirectSocket {
    constructor() {
      super(options);
    }
  };
}

class DirectSocket implements WebSocketLike {
  binaryType = "arraybuffer";
  readyState = CONNECTING;
  readonly #options: DirectSocketOptions;
  readonly #listeners: Record<EventName, ((event: unknown) => void)[]> = {
    open: [],
    message: [],
    close: [],
    error: [],
  };
  #socket: Socket;
  #corked = false;

  constructor(options: DirectSocketOptions) {
    this.#options = options;
    const { host, port } = options.target;
    this.#socket = host.startsWith("/") ? connect(join(host, `.s.PGSQL.${port}`)) : connect(port, host);
    this.#socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    void this.#open();
  }

  addEventListener(type: EventName, listener: (event: unknown) => void): void {
    this.#listeners[type].push(listener);
  }

  send(data: Uint8Array): void {
    if (this.readyState !== OPEN) return;
    // The driver sends each message of the protocol separately; all messages of one turn are sent in one packet.
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(data);
  }

  close(): void {
    if (this.readyState >= CLOSING) return;
    if (this.readyState === CONNECTING) this.#socket.destroy();
    else this.#socket.end();
    this.readyState = CLOSING;
    setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS).unref();
  }

  async #open(): Promise<void> {
    const { target, connectTimeoutMs } = this.#options;
    const timer = setTimeout(
      () => this.#socket.destroy(new Error(`no connection within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    try {
      await connected(this.#socket);
      const encrypt = target.sslMode !== "disable" && !target.host.startsWith("/");
      if (encrypt) this.#socket = await upgradeToTls(this.#socket, target);
    } catch (error) {
      this.#socket.destroy();
      this.#fail(error);
      return;
    } finally {
      clearTimeout(timer);
    }
    if (this.readyState !== CONNECTING) {
      this.#socket.destroy();
      this.#end();
      return;
    }
    this.readyState = OPEN;
    this.#socket.on("data", (chunk: Buffer) => this.#emit("message", { data: copyOf(chunk) }));
    this.#socket.on("error", (error: Error) => this.#emit("error", error));
    this.#socket.on("close", () => this.#end());
    this.#emit("open", {});
    this.#socket.resume();
  }

  #fail(error: unknown): void {
    const wanted = this.readyState === CLOSING;
    if (!wanted) this.#emit("error", error);
    this.#end();
  }

  #end(): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.#emit("close", {});
  }

  #emit(type: EventName, event: unknown): void {
    for (const listener of this.#listeners[type]) listener(event);
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    // This listener stays: until the next owner listens, an error without a listener would end the process.
    socket.on("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
  });
}

/** Copied into a separate ArrayBuffer: Node's chunks are views into a shared pool, and the driver keeps the buffer. */
function copyOf(chunk: Buffer): ArrayBuffer {
  const copy = new ArrayBuffer(chunk.byteLength);
  new Uint8Array(copy).set(chunk);
  return copy;
}
