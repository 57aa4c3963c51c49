/**
 * From a relay socket to windows of events. It takes the socket's frames as they come, and decides when a window is over.
 * monitor.ts decides when the host is quiet, silent, stuck or gone. All waiting goes through the injected clock.
 */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { includesLevel } from "@firehose-backfill/core/config/settings";
import type { Position } from "@firehose-backfill/core/position";
import { MemoryCheck } from "./memory-check.ts";
import { Monitor } from "./monitor.ts";
import { StreamState } from "./stream-state.ts";
import { probeStream } from "./probe.ts";
import { Subscription } from "./subscription.ts";
import { DEFAULT_TIMINGS, type FirehoseTimings } from "./timings.ts";
import type { FirehoseReader, FirehoseReaderOptions, Window, WindowLimits } from "./types.ts";
import { verifyWindow } from "./verify-window.ts";
import { type Ending, WindowBuilder } from "./window-builder.ts";
import { WindowTime } from "./window-time.ts";

/** @throws TypeError if the level needs `resolveKey` or `invertCommit`, and it is not given */
export function openFirehoseReader(options: FirehoseReaderOptions): FirehoseReader {
  const { verify, resolveKey, invertCommit } = options;
  if (includesLevel(verify, "signature") && resolveKey === undefined) {
    throw new TypeError(`verify: ${verify} needs resolveKey`);
  }
  if (includesLevel(verify, "inversion") && invertCommit === undefined) {
    throw new TypeError(`verify: ${verify} needs invertCommit`);
  }
  return new SocketReader(options);
}

class SocketReader implements FirehoseReader {
  readonly #options: FirehoseReaderOptions;
  readonly #timings: FirehoseTimings;
  readonly #memoryCheck: MemoryCheck;
  readonly #monitor: Monitor;
  readonly #subscription: Subscription;
  #state: StreamState;
  /** The log of the last window. The next window uses its memory again. */
  #log = new EventLog();
  #window: WindowBuilder | null = null;
  #time = new WindowTime(0, 0);
  /** Why every further window ends at once. null: reading goes on. */
  #terminal: Ending | null = null;

  constructor(options: FirehoseReaderOptions) {
    const { url, userAgent, clock, random, position } = options;
    const timings = { ...DEFAULT_TIMINGS, ...options.timings };
    const { connectTimeoutMs } = timings;
    this.#options = options;
    this.#timings = timings;
    this.#memoryCheck = new MemoryCheck(options.isMemoryTight, options.memoryCheckInterval);
    this.#monitor = new Monitor({
      clock,
      timings,
      silentSinceMs: position.silentSinceMs ?? null,
      watched: () => ({ connection: this.#subscription, stream: this.#state }),
      probe: (look, signal) => probeStream({ url, userAgent, clock, connectTimeoutMs, ...look }, signal),
    });
    this.#subscription = new Subscription({
      url,
      userAgent,
      clock,
      random,
      timings,
      signs: this.#monitor.signs,
      nextConnect: () => {
        this.#state.newConnection();
        return { cursor: this.#state.cursor, allowOversize: this.#state.allowOversize };
      },
      onFrames: () => this.#takeFrames(),
      onWake: () => this.#monitor.wake(),
    });
    this.#state = this.#newState(position);
  }

  async readWindow(limits: WindowLimits, signal: AbortSignal): Promise<Window> {
    const { clock } = this.#options;
    const before = this.#state.snapshot();
    const window = this.#newWindow(limits, before.cursor);
    this.#time = new WindowTime(clock.now() + limits.maxMs, this.#timings.idleMs);
    const onAbort = (): void => this.#monitor.wake();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#window = window;
    try {
      this.#checkBefore(window, signal);
      while (window.ending === null) {
        this.#advance(window);
        if (signal.aborted) window.end("aborted");
        if (window.ending === null) await this.#monitor.sleepUntil(this.#nextDeadlineMs(window));
      }
    } finally {
      this.#window = null;
      signal.removeEventListener("abort", onAbort);
    }
    const { resolveKey } = this.#options;
    if (resolveKey === undefined || window.pendingSignatures.length === 0) return window.finish(this.#state.facts());
    const failure = await verifyWindow(window, { resolveKey, clock, random: this.#options.random, signal });
    if (failure === null) return window.finish(this.#state.facts());
    // The window is not handed on. It is read again, from where it began.
    this.#state = this.#newState(before);
    this.#drop(failure);
    const nothing = this.#newWindow(limits, before.cursor);
    nothing.end(signal.aborted ? "aborted" : "unreachable", failure);
    return nothing.finish(this.#state.facts());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#window?.end("aborted");
    this.#terminal ??= { because: "aborted", detail: "the reader is closed" };
    this.#subscription.close();
    this.#monitor.close();
    await Promise.resolve();
  }

  #newWindow(limits: WindowLimits, from: Position | null): WindowBuilder {
    this.#log = this.#log.renew();
    return new WindowBuilder(limits, from, this.#log);
  }

  #newState(position: FirehoseReaderOptions["position"]): StreamState {
    const { clock, filter, verify, invertCommit } = this.#options;
    return new StreamState(position, {
      clock,
      rules: { filter, verify, ...(invertCommit === undefined ? {} : { invertCommit }) },
      isSuspicious: (cursorMs, firstMs) => this.#monitor.isSuspicious(cursorMs, firstMs),
      frames: this.#subscription.frames,
      patience: () => this.#monitor.doubt.patience(),
    });
  }

  #checkBefore(window: WindowBuilder, signal: AbortSignal): void {
    if (signal.aborted) window.end("aborted");
    else if (this.#terminal !== null) window.end(this.#terminal.because, this.#terminal.detail);
    else if (this.#state.isAtEnd()) window.end("caught-up");
    else if (this.#options.isMemoryTight()) window.end("memory");
  }

  /** Does everything that can be done now, and ends the window if it is over. */
  #advance(window: WindowBuilder): void {
    this.#subscription.poll();
    this.#takeFrames();
    if (window.ending === null) this.#heedMonitor(window);
    if (window.ending === null) this.#time.judge(this.#options.clock.now(), window, this.#subscription, this.#state);
  }

  /** Takes the frames that wait, as far as they fit into the window. Called when frames come, and when something else changed. */
  #takeFrames(): void {
    const window = this.#window;
    if (window === null || this.#monitor.isHolding) return;
    const framesBefore = window.frames;
    const { frames } = this.#subscription;
    let frame = frames.frameAt(0);
    let isHeld = false;
    while (frame !== null && !isHeld && window.ending === null) {
      const receivedBefore = window.received;
      const step = this.#state.take(frame, frames.bytesAt(0), window);
      switch (step.kind) {
        case "taken":
          this.#subscription.shift();
          this.#monitor.doubt.noteTaken();
          if (step.isGood) this.#subscription.noteGoodFrame();
          if (this.#memoryCheck.isTightAfter(window.received - receivedBefore)) window.end("memory");
          break;
        case "full":
          window.end(step.because);
          break;
        case "suspicious":
          this.#monitor.suspect(step);
          return;
        case "doubted":
          isHeld = this.#waitBehindDoubt();
          break;
        case "reconnect":
          this.#reconnect(step.detail);
          break;
        case "end":
          this.#endForGood(window, { because: step.because, detail: step.detail });
          break;
      }
      frame = frames.frameAt(0);
    }
    const decidedSinceMs = this.#monitor.doubt.takeDecidedSinceMs();
    if (window.frames > framesBefore) this.#time.noteTaken(decidedSinceMs ?? this.#options.clock.now());
    // The first frame brings a nearer deadline, and the end of the window must not wait for one.
    if (window.ending !== null || (framesBefore === 0 && window.frames > 0)) this.#monitor.wake();
  }

  /** True: more frames may come behind the one that is doubted. If none can, the frame is read again or decided. */
  #waitBehindDoubt(): boolean {
    const next = this.#monitor.doubt.next(this.#state.position, this.#state.cursor);
    if (next === "wait") this.#subscription.admit();
    if (next === "reconnect") this.#reconnect("the connection ended behind a sequence number that may be wrong");
    return next === "wait";
  }

  #reconnect(detail: string): void {
    this.#options.onLog?.(`${detail}; reconnecting`);
    this.#drop(detail);
    this.#monitor.wake();
  }

  /** Ends the connection on purpose. What was suspected about its first frame is no longer of interest. */
  #drop(detail: string): void {
    this.#subscription.drop(detail);
    this.#monitor.forgetSuspicion();
  }

  #heedMonitor(window: WindowBuilder): void {
    const verdict = this.#monitor.poll(this.#options.clock.now());
    switch (verdict.kind) {
      case "open":
        break;
      case "gap-checked": {
        const { gap, oldestKeptMs } = verdict.finding;
        if (gap !== null) window.addGap(gap);
        if (oldestKeptMs !== null) window.noteOldestKept(oldestKeptMs);
        this.#state.settleGap();
        this.#takeFrames();
        if (window.ending === null) this.#heedMonitor(window);
        break;
      }
      case "reconnect":
        this.#reconnect(verdict.detail);
        break;
      case "end":
        if (this.#hasNothingMore(window, verdict.ending)) this.#endForGood(window, verdict.ending);
    }
  }

  /** On a quiet host nothing comes behind a frame that is doubted. So it is decided now, and if it is taken, reading goes on. */
  #hasNothingMore(window: WindowBuilder, { because }: Ending): boolean {
    const { position, isDoubting } = this.#state;
    if (because !== "quiet" || !isDoubting) return true;
    this.#monitor.doubt.decideNow();
    this.#takeFrames();
    this.#monitor.wake();
    return this.#state.position === position && this.#subscription.frames.isEmpty && window.ending === null;
  }

  #endForGood(window: WindowBuilder, ending: Ending): void {
    window.end(ending.because, ending.detail);
    if (ending.because === "caught-up" || ending.because === "quiet") {
      this.#state.settleAtStart(window);
      return;
    }
    this.#terminal = ending;
    this.#subscription.close();
  }

  #nextDeadlineMs(window: WindowBuilder): number {
    const windowMs = this.#time.nextMs(window, this.#subscription, this.#state);
    return Math.min(windowMs, this.#subscription.nextDeadlineMs());
  }
}
