/**
 * A subscription to a relay that outlives its connections: connects, notices dead ones, waits and connects again.
 * It does nothing by itself: its owner calls `poll` whenever `nextDeadlineMs` has come, or after `onWake`.
 * What frames say, and from which cursor to go on, is the owner's business.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { parseRetryAfter, reconnectDelayMs } from "./back-off.ts";
import { type Connection, type ConnectionEnd, connect, OVERSIZE_FRAME_BYTES } from "./connection.ts";
import { quote } from "./kept-bytes.ts";
import { FrameQueue, type QueuedFrame, TOO_LARGE } from "./frame-queue.ts";
import { MAX_FRAME_BYTES } from "./frame-types.ts";
import { Pulse } from "./pulse.ts";
import type { FirehoseTimings } from "./timings.ts";

/** Queued bytes at which the socket is paused, and at which it flows again. */
const HIGH_WATER_BYTES = 1_048_576;
const LOW_WATER_BYTES = 262_144;
/** Answers to the upgrade that time will not change. */
const PERMANENT_STATUSES: ReadonlySet<number> = new Set([400, 404, 405, 410, 501]);

export interface SubscriptionOptions {
  readonly url: string;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timings: FirehoseTimings;
  /** Asked at each connect, once every frame that came before has been taken. */
  readonly nextConnect: () => { readonly cursor: number | null; readonly allowOversize: boolean };
  /** Called once for the frames that came in one piece of the stream, before anything else happens. */
  readonly onFrames: () => void;
  /** Something other than a frame happened. */
  readonly onWake: () => void;
}

export class Subscription {
  readonly #options: SubscriptionOptions;
  readonly #queue = new FrameQueue();
  readonly #pulse: Pulse;
  #state: "waiting" | "connecting" | "open" | "closed" = "waiting";
  #connection: Connection | null = null;
  /** How the connection ended, until its last frame has been taken. */
  #end: ConnectionEnd | null = null;
  #endedAtMs = 0;
  #retryAtMs = 0;
  #connectStartedMs = 0;
  #openedMs = 0;
  #isPaused = false;
  /** A frame is doubted, and only those behind it can help. */
  #isAdmitting = false;
  #isDeliveryDue = false;
  /** Connections in a row that brought no good frame. */
  #fruitless = 0;
  #isFruitful = false;
  #asked: number | null = null;
  #refused: string | null = null;
  #detail: string | null = null;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#pulse = new Pulse(options.timings);
  }

  /** The server will never serve this; a sentence for the operator. */
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

  get openedMs(): number {
    return this.#openedMs;
  }

  /** The cursor that the present connection was opened with; null: none. */
  get asked(): number | null {
    return this.#asked;
  }

  /** When the next connection is due; null while there is one, or frames of the last one wait. */
  get retryAtMs(): number | null {
    return this.#state === "waiting" && this.#end === null && this.#refused === null ? this.#retryAtMs : null;
  }

  /** The last connections brought nothing. */
  get isFailing(): boolean {
    return this.#fruitless > 0 && this.#state !== "open";
  }

  /** Since when it has been open, flowing and without any frame; null: it is not, or frames wait (those that are doubted do not count). */
  quietSinceMs(areDoubted: boolean): number | null {
    const isIdle = this.#queue.isEmpty || areDoubted;
    return this.isOpen && !this.#isPaused && isIdle ? this.#pulse.quietSinceMs : null;
  }

  /** It has ended, and its last frames are still here. */
  get isCut(): boolean {
    return this.#end !== null;
  }

  /** A ping has been answered since the last frame. */
  get isAnswering(): boolean {
    return this.#pulse.isAnswering;
  }

  peek(): QueuedFrame | null {
    return this.#queue.peek();
  }

  peekAt(index: number): QueuedFrame | null {
    return this.#queue.peekAt(index);
  }

  /** Lets frames in, however many wait, until one of them is taken. */
  admit(): void {
    this.#isAdmitting = true;
    if (this.#isPaused) this.#resume();
  }

  shift(): void {
    this.#isAdmitting = false;
    this.#queue.shift();
    if (!this.#isPaused || this.#queue.bytes > LOW_WATER_BYTES) return;
    this.#resume();
  }

  /** A frame of the present connection was good: what fails after it is not a failure to connect. */
  noteGoodFrame(): void {
    this.#isFruitful = true;
    this.#fruitless = 0;
  }

  /** Ends the connection and forgets the frames that were not taken; the next `poll`s connect again. */
  drop(detail: string): void {
    this.#connection?.drop();
    this.#queue.clear();
    this.#detail = detail;
    this.#endedAtMs = this.#options.clock.now();
    this.#scheduleConnect();
  }

  /** Ends it for good. */
  close(): void {
    this.#connection?.drop();
    this.#connection = null;
    this.#queue.clear();
    this.#state = "closed";
  }

  poll(): void {
    const nowMs = this.#options.clock.now();
    const end = this.#end;
    if (end !== null && this.#queue.isEmpty) {
      this.#scheduleConnect();
      this.#explain(end);
    }
    if (this.retryAtMs !== null && nowMs >= this.retryAtMs) this.#connect(nowMs);
    const { connectTimeoutMs } = this.#options.timings;
    if (this.#state === "connecting" && nowMs - this.#connectStartedMs >= connectTimeoutMs) {
      this.drop(`the connection did not open within ${connectTimeoutMs} ms`);
    }
    if (this.#state !== "open" || this.#isPaused) return;
    const pulse = this.#pulse.check(nowMs);
    if (pulse === "ping") this.#connection?.ping();
    if (pulse === "dead") this.drop(`half-open: no frame and no pong for ${this.#pulse.silentForMs} ms`);
  }

  nextDeadlineMs(): number {
    if (this.#state === "connecting") return this.#connectStartedMs + this.#options.timings.connectTimeoutMs;
    if (this.#state === "open" && !this.#isPaused) return this.#pulse.deadlineMs();
    return this.retryAtMs ?? Number.POSITIVE_INFINITY;
  }

  #resume(): void {
    this.#isPaused = false;
    this.#pulse.frame(this.#options.clock.now());
    this.#connection?.resume();
  }

  #connect(nowMs: number): void {
    const { url, userAgent, clock } = this.#options;
    const { cursor, allowOversize } = this.#options.nextConnect();
    this.#asked = cursor;
    this.#state = "connecting";
    this.#connectStartedMs = nowMs;
    this.#isFruitful = false;
    this.#isPaused = false;
    this.#isAdmitting = false;
    this.#connection = connect({
      url,
      cursor,
      userAgent,
      maxFrameBytes: allowOversize ? OVERSIZE_FRAME_BYTES : MAX_FRAME_BYTES,
      onOpen: () => {
        this.#state = "open";
        this.#openedMs = clock.now();
        this.#pulse.frame(this.#openedMs);
        this.#options.onWake();
      },
      onFrame: (bytes, isBinary) => this.#onFrame(isBinary ? bytes : { bytes, reason: "a text frame" }),
      onPong: () => {
        this.#pulse.pong(clock.now());
        this.#options.onWake();
      },
      onEnd: (end) => this.#onEnd(end),
    });
  }

  /**
   * A read of the socket brings a dozen frames at once: they are taken together when the last one is there, or when they are
   * too many to wait for it.
   */
  #onFrame(frame: QueuedFrame): void {
    this.#queue.push(frame);
    if (this.#queue.bytes >= HIGH_WATER_BYTES) this.#deliver();
    else if (!this.#isDeliveryDue) {
      this.#isDeliveryDue = true;
      process.nextTick(this.#deliver);
    }
    if (this.#isPaused || this.#isAdmitting || this.#queue.bytes < HIGH_WATER_BYTES) return;
    this.#isPaused = true;
    this.#connection?.pause();
  }

  readonly #deliver = (): void => {
    this.#isDeliveryDue = false;
    // Taken already, or forgotten with their connection.
    if (this.#queue.isEmpty) return;
    this.#pulse.frame(this.#options.clock.now());
    this.#options.onFrames();
  };

  #onEnd(end: ConnectionEnd): void {
    this.#end = end;
    this.#endedAtMs = this.#options.clock.now();
    this.#connection = null;
    this.#state = "waiting";
    if (end.kind === "frame-too-large") this.#onFrame(TOO_LARGE);
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

  /** Puts into words how a connection ended, and heeds what the server said about trying again. */
  #explain(end: ConnectionEnd): void {
    switch (end.kind) {
      case "closed":
        this.#detail = `closed with ${end.code}${end.reason === "" ? "" : `: ${end.reason}`}`;
        return;
      case "failed":
        this.#detail = end.error;
        return;
      case "frame-too-large":
        return;
      case "http":
        break;
    }
    const body = end.body.replaceAll(/\s+/g, " ").trim();
    this.#detail = `HTTP ${end.status} instead of the upgrade${body === "" ? "" : `: ${quote(body)}`}`;
    if (PERMANENT_STATUSES.has(end.status)) this.#refused = this.#detail;
    const waitMs = parseRetryAfter(end.retryAfter, this.#endedAtMs);
    if (waitMs === null) return;
    this.#detail = `${this.#detail} (retry after ${Math.ceil(waitMs / 1_000)} s)`;
    this.#retryAtMs = Math.max(this.#retryAtMs, this.#endedAtMs + waitMs);
  }
}
