/**
 * What a connection brought and nobody took yet: hands frames on in pieces, as they come, and stops the socket while too much
 * of them waits.
 */
import { FrameQueue, type QueuedFrame } from "./frame-queue.ts";

/** Queued bytes at which the socket is paused, and at which it flows again. */
const HIGH_WATER_BYTES = 1_048_576;
const LOW_WATER_BYTES = 262_144;

export interface InboxOptions {
  /** Called once for the frames that came in one piece of the stream, before anything else happens. */
  readonly onFrames: () => void;
  readonly pause: () => void;
  readonly resume: () => void;
}

export class Inbox {
  readonly #options: InboxOptions;
  readonly #queue = new FrameQueue();
  #isPaused = false;
  /** A frame is doubted, and only those behind it can help. */
  #isAdmitting = false;
  #isDeliveryDue = false;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  get frames(): Pick<FrameQueue, "isEmpty" | "frameAt" | "bytesAt"> {
    return this.#queue;
  }

  /** The socket was told to wait. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  newConnection(): void {
    this.#isPaused = false;
    this.#isAdmitting = false;
  }

  /**
   * A read of the socket brings a dozen frames at once: they are taken together when the last one is there, or when they are
   * too many to wait for it.
   */
  push(frame: QueuedFrame): void {
    this.#queue.push(frame);
    if (this.#queue.bytes >= HIGH_WATER_BYTES) this.#deliver();
    else if (!this.#isDeliveryDue) {
      this.#isDeliveryDue = true;
      process.nextTick(this.#deliver);
    }
    if (this.#isPaused || this.#isAdmitting || this.#queue.bytes < HIGH_WATER_BYTES) return;
    this.#isPaused = true;
    this.#options.pause();
  }

  /** Lets frames in, however many wait, until one of them is taken. */
  admit(): void {
    this.#isAdmitting = true;
    if (this.#isPaused) this.#resume();
  }

  /** The frame in front was taken. */
  shift(): void {
    this.#isAdmitting = false;
    this.#queue.shift();
    if (this.#isPaused && this.#queue.bytes <= LOW_WATER_BYTES) this.#resume();
  }

  clear(): void {
    this.#queue.clear();
  }

  #resume(): void {
    this.#isPaused = false;
    this.#options.resume();
  }

  readonly #deliver = (): void => {
    this.#isDeliveryDue = false;
    // Taken already, or forgotten with their connection.
    if (!this.#queue.isEmpty) this.#options.onFrames();
  };
}
