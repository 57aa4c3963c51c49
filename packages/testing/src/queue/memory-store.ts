/**
 * The messages of one queue in memory and their states, as a function of `nowMs`: delayed or hidden until a
 * moment, ready, or gone. It neither waits nor reads a clock; memory-queue.ts does.
 */
import { MinHeap } from "./min-heap.ts";

export interface StoredMessage<Content> {
  readonly id: string;
  readonly content: Content;
  readonly sentAtMs: number;
  receiveCount: number;
}

export interface Received<Content> {
  readonly message: StoredMessage<Content>;
  readonly receiptHandle: string;
}

/** One entry in the queue. A message that is delivered twice has two of them. */
interface Slot<Content> {
  readonly message: StoredMessage<Content>;
  readonly number: number;
  state: "delayed" | "ready" | "in-flight" | "gone";
  visibleAtMs: number;
  receiptHandle: string | null;
}

export interface MemoryStoreOptions {
  readonly order: "oldest-first" | "random";
  readonly random: () => number;
}

export class MemoryStore<Content> {
  readonly #options: MemoryStoreOptions;
  /** In the order of sending. */
  readonly #slots = new Map<number, Slot<Content>>();
  readonly #byReceipt = new Map<string, Slot<Content>>();
  /** Sorted by the moment when they become visible. Outdated entries are skipped when their turn comes. */
  readonly #hidden = new MinHeap<Slot<Content>>();
  readonly #readyByAge = new MinHeap<Slot<Content>>();
  readonly #readyAtRandom: Slot<Content>[] = [];
  readonly #counts = { delayed: 0, ready: 0, "in-flight": 0, gone: 0 };
  #lastNumber = 0;
  #lastReceipt = 0;

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
  }

  add(message: StoredMessage<Content>, visibleAtMs: number, nowMs: number): void {
    const number = ++this.#lastNumber;
    const slot: Slot<Content> = { message, number, state: "gone", visibleAtMs, receiptHandle: null };
    this.#slots.set(number, slot);
    if (visibleAtMs > nowMs) this.#hide(slot, "delayed", visibleAtMs);
    else this.#makeReady(slot);
  }

  /** The next visible message, hidden from now on until `visibleAtMs`; null if there is none. */
  take(visibleAtMs: number, nowMs: number): Received<Content> | null {
    this.#wake(nowMs);
    const slot = this.#nextReady();
    if (slot === null) return null;
    // Only the receipt of the last receive is valid.
    if (slot.receiptHandle !== null) this.#byReceipt.delete(slot.receiptHandle);
    slot.receiptHandle = `receipt-${++this.#lastReceipt}`;
    this.#byReceipt.set(slot.receiptHandle, slot);
    slot.message.receiveCount += 1;
    this.#hide(slot, "in-flight", visibleAtMs);
    return { message: slot.message, receiptHandle: slot.receiptHandle };
  }

  /** A message that is visible again, or gone, is not changed. */
  hide(receiptHandle: string, visibleAtMs: number, nowMs: number): void {
    this.#wake(nowMs);
    const slot = this.#byReceipt.get(receiptHandle);
    if (slot?.state !== "in-flight") return;
    if (visibleAtMs > nowMs) this.#hide(slot, "in-flight", visibleAtMs);
    else this.#makeReady(slot);
  }

  remove(receiptHandle: string): void {
    const slot = this.#byReceipt.get(receiptHandle);
    if (slot !== undefined) this.#drop(slot);
  }

  figures(nowMs: number): { ready: number; inFlight: number; delayed: number; oldestSentAtMs: number | null } {
    this.#wake(nowMs);
    const [oldest] = this.#slots.values();
    return {
      ready: this.#counts.ready,
      inFlight: this.#counts["in-flight"],
      delayed: this.#counts.delayed,
      oldestSentAtMs: oldest?.message.sentAtMs ?? null,
    };
  }

  get size(): number {
    return this.#slots.size;
  }

  /** The oldest `max` messages, whatever their state; they stay where they are. */
  list(max: number): readonly StoredMessage<Content>[] {
    return [...this.#slots.values()].slice(0, max).map((slot) => slot.message);
  }

  /** Removes the oldest `max` messages, whatever their state. */
  drain(max: number): readonly StoredMessage<Content>[] {
    const slots = [...this.#slots.values()].slice(0, max);
    for (const slot of slots) this.#drop(slot);
    return slots.map((slot) => slot.message);
  }

  /** When the next hidden message becomes visible; Infinity if none is hidden. */
  nextVisibleAtMs(): number {
    this.#dropStale();
    return this.#hidden.rank;
  }

  #wake(nowMs: number): void {
    for (;;) {
      this.#dropStale();
      if (this.#hidden.rank > nowMs) return;
      const slot = this.#hidden.pop();
      if (slot === undefined) return;
      this.#makeReady(slot);
    }
  }

  #dropStale(): void {
    for (;;) {
      const slot = this.#hidden.peek();
      if (slot === undefined) return;
      const isHidden = slot.state === "delayed" || slot.state === "in-flight";
      if (isHidden && slot.visibleAtMs === this.#hidden.rank) return;
      this.#hidden.pop();
    }
  }

  #drop(slot: Slot<Content>): void {
    if (slot.receiptHandle !== null) this.#byReceipt.delete(slot.receiptHandle);
    this.#slots.delete(slot.number);
    this.#moveTo(slot, "gone");
  }

  #hide(slot: Slot<Content>, state: "delayed" | "in-flight", visibleAtMs: number): void {
    this.#moveTo(slot, state);
    slot.visibleAtMs = visibleAtMs;
    this.#hidden.push(visibleAtMs, slot);
  }

  #makeReady(slot: Slot<Content>): void {
    this.#moveTo(slot, "ready");
    if (this.#options.order === "random") this.#readyAtRandom.push(slot);
    else this.#readyByAge.push(slot.number, slot);
  }

  #nextReady(): Slot<Content> | null {
    for (;;) {
      const slot = this.#options.order === "random" ? this.#pickAtRandom() : this.#readyByAge.pop();
      if (slot === undefined) return null;
      // It was removed with an old receipt while it was visible.
      if (slot.state === "ready") return slot;
    }
  }

  #pickAtRandom(): Slot<Content> | undefined {
    const ready = this.#readyAtRandom;
    const index = Math.floor(this.#options.random() * ready.length);
    const picked = ready[index];
    const last = ready.pop();
    if (picked !== undefined && last !== undefined && index < ready.length) ready[index] = last;
    return picked;
  }

  #moveTo(slot: Slot<Content>, state: Slot<Content>["state"]): void {
    this.#counts[slot.state] -= 1;
    this.#counts[state] += 1;
    slot.state = state;
  }
}
