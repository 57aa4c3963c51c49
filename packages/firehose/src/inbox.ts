/**
 * Keeps the frames of a connection until they are taken. It tells its owner when a piece of the stream has come, and it pauses
 * the socket while too many bytes wait.
 */
import { FrameQueue, type QueuedFrame } from "./frame-queue.ts";

/** Queued bytes at which the socket is paused, and at which it flows again. */
const HIGH_WATER_BYTES = 1_048_576;
const LOW_WATER_BYTES = 262_144;

export interface InboxOptions {
  /** Called once for all frames of one read of the socket, before anything else happens. */
  readonly onFrames: () => void;
  readonly pause: () => void;
  readonly resume: () => void;
}

export class Inbox {
  readonly #options: InboxOptions;
  readonly #queue = new FrameQueue();
  #isPaused = false;
  /** A frame is doubted, so frames have to come in, even if many wait. It holds for one delivery: the owner asks again if these do not decide. */
  #isAdmitting = false;
  #isDeliveryDue = false;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  get frames(): Pick<FrameQueue, "isEmpty" | "frameAt" | "bytesAt"> {
    return this.#queue;
  }

  /** The socket is paused. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  newConnection(): void {
    this.#isPaused = false;
    this.#isAdmitting = false;
  }

  /**
   * A read of the socket brings a dozen frames at once. They are handed on together, when the last one is there or when the
   * high-water mark is reached.
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

  /**
   * Lets frames in until the next ones are handed on, also if many wait. If the owner does not read at that time, because it sends its
   * window, it does not ask again. Without this, everything that the host sends meanwhile would come in.
   */
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
    this.#isAdmitting = false;
    // If the queue is empty, the frames were taken already, or dropped with their connection.
    if (!this.#queue.isEmpty) this.#options.onFrames();
  };
}
