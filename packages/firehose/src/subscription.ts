/**
 * A subscription to a relay that outlives its connections: it connects, waits after the end of a connection, and connects
 * again. It does nothing by itself: its owner calls `poll` when `nextDeadlineMs` has come, and after `onWake`. The owner knows
 * what frames say and from which cursor to go on, and monitor.ts finds out whether the other end still answers.
 */
import { reconnectDelayMs } from "./back-off.ts";
import { type Connection, type ConnectionEnd, connect, OVERSIZE_FRAME_BYTES } from "./connection.ts";
import { explainEnd } from "./connection-end.ts";
import { type FrameQueue, TOO_LARGE } from "./frame-queue.ts";
import { MAX_FRAME_BYTES } from "./frame-types.ts";
import { Inbox } from "./inbox.ts";
import type { Liveness } from "./liveness.ts";
import type { FirehoseTimings } from "./timings.ts";
import type { FirehoseReaderOptions } from "./types.ts";

export interface SubscriptionOptions extends Pick<FirehoseReaderOptions, "url" | "userAgent" | "clock" | "random"> {
  readonly timings: FirehoseTimings;
  /** Is told when something comes from the other end, and when something can come again. */
  readonly signs: Pick<Liveness, "frame" | "pong">;
  /** Called before each connection, when all frames of the last one have been taken. */
  readonly nextConnect: () => { readonly cursor: number | null; readonly allowOversize: boolean };
  /** Called once for all frames of one read of the socket, before anything else happens. */
  readonly onFrames: () => void;
  /** Something other than a frame happened. */
  readonly onWake: () => void;
}

export class Subscription {
  readonly #options: SubscriptionOptions;
  readonly #inbox: Inbox;
  #state: "waiting" | "connecting" | "open" | "closed" = "waiting";
  #connection: Connection | null = null;
  /** How the connection ended, until its last frame has been taken. */
  #end: ConnectionEnd | null = null;
  #endedAtMs = 0;
  #retryAtMs = 0;
  #connectStartedMs = 0;
  #openedMs = 0;
  /** Connections in a row that brought no good frame. */
  #fruitless = 0;
  #isFruitful = false;
  #asked: number | null = null;
  #refused: string | null = null;
  #detail: string | null = null;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#inbox = new Inbox({
      onFrames: () => {
        options.signs.frame(options.clock.now());
        options.onFrames();
      },
      pause: () => this.#connection?.pause(),
      resume: () => {
        options.signs.frame(options.clock.now());
        this.#connection?.resume();
      },
    });
  }

  /** A sentence for the operator: the server will never accept this connection. null: it may. */
  get refused(): string | null {
    return this.#refused;
  }

  /** How the last connection ended, for the operator. */
  get detail(): string | null {
    return this.#detail;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** It is open, and we do not keep the other end from sending. */
  get isFlowing(): boolean {
    return this.isOpen && !this.#inbox.isPaused;
  }

  get openedMs(): number {
    return this.#openedMs;
  }

  /** The cursor that the present connection was opened with. null: none. */
  get asked(): number | null {
    return this.#asked;
  }

  /** When the next connection is due. null: there is one, or frames of the last one wait. */
  get retryAtMs(): number | null {
    return this.#state === "waiting" && this.#end === null && this.#refused === null ? this.#retryAtMs : null;
  }

  /** The last connections brought no good frame, and none is open. */
  get isFailing(): boolean {
    return this.#fruitless > 0 && this.#state !== "open";
  }

  /** It has ended, and its last frames are still here. */
  get isCut(): boolean {
    return this.#end !== null;
  }

  /** The frames that wait to be taken. */
  get frames(): Pick<FrameQueue, "isEmpty" | "frameAt" | "bytesAt"> {
    return this.#inbox.frames;
  }

  ping(): void {
    this.#connection?.ping();
  }

  /** Lets frames in until the next ones are handed on, also if many wait. */
  admit(): void {
    this.#inbox.admit();
  }

  /** The frame in front was taken. */
  shift(): void {
    this.#inbox.shift();
  }

  /** A frame of the present connection was good, so its end does not count as a failed connection. */
  noteGoodFrame(): void {
    this.#isFruitful = true;
    this.#fruitless = 0;
  }

  /** Ends the connection and drops the frames that were not taken. A later `poll` connects again. */
  drop(detail: string): void {
    this.#connection?.drop();
    this.#inbox.clear();
    this.#detail = detail;
    this.#endedAtMs = this.#options.clock.now();
    this.#scheduleConnect();
  }

  /** Ends the subscription. */
  close(): void {
    this.#connection?.drop();
    this.#connection = null;
    this.#inbox.clear();
    this.#state = "closed";
  }

  poll(): void {
    const nowMs = this.#options.clock.now();
    const end = this.#end;
    if (end !== null && this.#inbox.frames.isEmpty) {
      this.#scheduleConnect();
      this.#explain(end);
    }
    if (this.retryAtMs !== null && nowMs >= this.retryAtMs) this.#connect(nowMs);
    const { connectTimeoutMs } = this.#options.timings;
    if (this.#state === "connecting" && nowMs - this.#connectStartedMs >= connectTimeoutMs) {
      this.drop(`the connection did not open within ${connectTimeoutMs} ms`);
    }
  }

  nextDeadlineMs(): number {
    if (this.#state === "connecting") return this.#connectStartedMs + this.#options.timings.connectTimeoutMs;
    return this.retryAtMs ?? Number.POSITIVE_INFINITY;
  }

  #connect(nowMs: number): void {
    const { url, userAgent, clock } = this.#options;
    const { cursor, allowOversize } = this.#options.nextConnect();
    this.#asked = cursor;
    this.#state = "connecting";
    this.#connectStartedMs = nowMs;
    this.#isFruitful = false;
    this.#inbox.newConnection();
    this.#connection = connect({
      url,
      cursor,
      userAgent,
      maxFrameBytes: allowOversize ? OVERSIZE_FRAME_BYTES : MAX_FRAME_BYTES,
      onOpen: () => {
        this.#state = "open";
        this.#openedMs = clock.now();
        this.#options.signs.frame(this.#openedMs);
        this.#options.onWake();
      },
      onFrame: (bytes, isBinary) => this.#inbox.push(isBinary ? bytes : { bytes, reason: "a text frame" }),
      onPong: () => {
        this.#options.signs.pong(clock.now());
        this.#options.onWake();
      },
      onEnd: (end) => this.#onEnd(end),
    });
  }

  #onEnd(end: ConnectionEnd): void {
    this.#end = end;
    this.#endedAtMs = this.#options.clock.now();
    this.#connection = null;
    this.#state = "waiting";
    if (end.kind === "frame-too-large") this.#inbox.push(TOO_LARGE);
    this.#options.onWake();
  }

  #scheduleConnect(): void {
    this.#connection = null;
    this.#end = null;
    this.#state = "waiting";
    if (!this.#isFruitful) this.#fruitless++;
    this.#isFruitful = false;
    const { random, timings } = this.#options;
    this.#retryAtMs = this.#endedAtMs + reconnectDelayMs(this.#fruitless, random, timings);
  }

  /** Keeps what the server said, and waits as long as it asked for. */
  #explain(end: ConnectionEnd): void {
    const { detail, refused, waitMs } = explainEnd(end, this.#endedAtMs);
    if (detail !== null) this.#detail = detail;
    if (refused !== null) this.#refused = refused;
    if (waitMs !== null) this.#retryAtMs = Math.max(this.#retryAtMs, this.#endedAtMs + waitMs);
  }
}
