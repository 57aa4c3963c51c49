/**
 * From a relay socket to windows of events. The socket's frames are taken as they come; this file decides when a
 * window is over, and when a host is quiet, silent, stuck or gone. All waiting goes through the injected clock.
 */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { Position } from "@firehose-backfill/core/position";
import { DoubtWait } from "./doubt-wait.ts";
import { GAP_SAMPLE, GapProof } from "./gap-proof.ts";
import { IdleDetector } from "./idle-detector.ts";
import { MemoryCheck } from "./memory-check.ts";
import { StreamState } from "./stream-state.ts";
import { probeStream } from "./probe.ts";
import { Subscription } from "./subscription.ts";
import { DEFAULT_TIMINGS, type FirehoseTimings } from "./timings.ts";
import type { FirehoseReader, FirehoseReaderOptions, Window, WindowLimits } from "./types.ts";
import { verifyWindow } from "./verify-window.ts";
import { Waker } from "./waker.ts";
import { type Ending, WindowBuilder } from "./window-builder.ts";
import { WindowTime } from "./window-time.ts";

/** @throws TypeError where `verify` is `signature` and nobody resolves keys */
export function openFirehoseReader(options: FirehoseReaderOptions): FirehoseReader {
  if (options.verify === "signature" && options.resolveKey === undefined) {
    throw new TypeError("verify: signature needs resolveKey");
  }
  return new SocketReader(options);
}

class SocketReader implements FirehoseReader {
  readonly #options: FirehoseReaderOptions;
  readonly #timings: FirehoseTimings;
  readonly #waker: Waker;
  readonly #idleDetector: IdleDetector;
  readonly #gapProof: GapProof;
  readonly #doubtWait: DoubtWait;
  readonly #subscription: Subscription;
  #state: StreamState;
  /** Of the last window: its memory is for the next one. */
  #log = new EventLog();
  #window: WindowBuilder | null = null;
  #time = new WindowTime(0, 0);
  /** The network said something that no further window can change. */
  #terminal: Ending | null = null;
  readonly #memoryCheck: MemoryCheck;
  constructor(options: FirehoseReaderOptions) {
    const { url, userAgent, clock, random } = options;
    const timings = { ...DEFAULT_TIMINGS, ...options.timings };
    const { connectTimeoutMs, probeTimeoutMs } = timings;
    const looking = { url, userAgent, clock, connectTimeoutMs };
    const onWake = (): void => this.#waker.wake();
    const isNoNews = (bytes: Buffer): boolean => this.#state.isNoNews(bytes);
    this.#options = options;
    this.#timings = timings;
    this.#memoryCheck = new MemoryCheck(options.isMemoryTight, options.memoryCheckInterval);
    this.#waker = new Waker(clock);
    this.#idleDetector = new IdleDetector({
      silentSinceMs: options.position.silentSinceMs ?? null,
      clock,
      timings,
      probe: (look, signal) => probeStream({ ...looking, ...look, isNoNews }, signal),
      onWake,
    });
    this.#doubtWait = new DoubtWait(clock, timings);
    this.#gapProof = new GapProof({
      clock,
      timings,
      probe: (signal) => probeStream({ ...looking, cursor: 0, listenMs: probeTimeoutMs, sample: GAP_SAMPLE }, signal),
      onWake,
    });
    this.#state = this.#newState(options.position);
    this.#subscription = new Subscription({
      url,
      userAgent,
      clock,
      random,
      timings,
      nextConnect: () => {
        this.#state.newConnection();
        return { cursor: this.#state.cursor, allowOversize: this.#state.allowOversize };
      },
      onFrames: () => this.#takeFrames(),
      onWake,
    });
  }

  async readWindow(limits: WindowLimits, signal: AbortSignal): Promise<Window> {
    const { clock } = this.#options;
    const before = this.#state.snapshot();
    const window = this.#newWindow(limits, before.cursor);
    this.#time = new WindowTime(clock.now() + limits.maxMs, this.#timings.idleMs);
    const onAbort = (): void => this.#waker.wake();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#window = window;
    try {
      this.#checkBefore(window, signal);
      while (window.ending === null) {
        this.#advance(window);
        if (signal.aborted) window.end("aborted");
        if (window.ending === null) await this.#waker.sleepUntil(this.#nextDeadlineMs(window));
      }
    } finally {
      this.#window = null;
      signal.removeEventListener("abort", onAbort);
    }
    const { resolveKey } = this.#options;
    if (resolveKey === undefined || window.pendingSignatures.length === 0) return window.finish(this.#state.facts());
    const failure = await verifyWindow(window, { resolveKey, clock, random: this.#options.random, signal });
    if (failure === null) return window.finish(this.#state.facts());
    // Nothing of it may be handed on: it is read again from where it began.
    this.#state = this.#newState(before);
    this.#subscription.drop(failure);
    this.#gapProof.reset();
    const nothing = this.#newWindow(limits, before.cursor);
    nothing.end(signal.aborted ? "aborted" : "unreachable", failure);
    return nothing.finish(this.#state.facts());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#window?.end("aborted");
    this.#terminal ??= { because: "aborted", detail: "the reader is closed" };
    this.#idleDetector.reset();
    this.#gapProof.reset();
    this.#subscription.close();
    this.#waker.wake();
    await Promise.resolve();
  }

  #newWindow(limits: WindowLimits, from: Position | null): WindowBuilder {
    this.#log = this.#log.renew();
    return new WindowBuilder(limits, from, this.#log);
  }

  #newState(position: FirehoseReaderOptions["position"]): StreamState {
    const { clock, filter, verify } = this.#options;
    return new StreamState(position, {
      clock,
      rules: { filter, verify },
      isSuspicious: (cursorMs, firstMs) => this.#gapProof.isSuspicious(cursorMs, firstMs),
      frames: {
        frameAt: (index) => this.#subscription.frames.frameAt(index),
        bytesAt: (index) => this.#subscription.frames.bytesAt(index),
      },
      patience: () => this.#doubtWait.patience(this.#subscription),
    });
  }

  #checkBefore(window: WindowBuilder, signal: AbortSignal): void {
    if (signal.aborted) window.end("aborted");
    else if (this.#terminal !== null) window.end(this.#terminal.because, this.#terminal.detail);
    else if (this.#state.isAtEnd()) window.end("caught-up");
    else if (this.#options.isMemoryTight()) window.end("memory");
  }

  /** Everything that can be done now; ends the window where it is over. */
  #advance(window: WindowBuilder): void {
    this.#subscription.poll();
    this.#gapProof.poll();
    const finding = this.#gapProof.takeFinding();
    if (finding !== null) {
      if (finding.gap !== null) window.addGap(finding.gap);
      if (finding.oldestKeptMs !== null) window.noteOldestKept(finding.oldestKeptMs);
      this.#state.settleGap();
    }
    this.#takeFrames();
    if (window.ending === null) this.#judgeHost(window);
    if (window.ending === null) this.#time.judge(this.#options.clock.now(), window, this.#subscription, this.#state);
  }

  /** Takes what is queued, as far as it fits. Called for frames as they come, and whenever something else changed. */
  #takeFrames(): void {
    const window = this.#window;
    if (window === null || this.#gapProof.isPending) return;
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
          this.#doubtWait.noteTaken();
          if (step.isGood) this.#subscription.noteGoodFrame();
          if (this.#memoryCheck.isTightAfter(window.received - receivedBefore)) window.end("memory");
          break;
        case "full":
          window.end(step.because);
          break;
        case "suspicious":
          this.#gapProof.suspect(step.cursor, step.first, step.isStart);
          this.#waker.wake();
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
    const decidedSinceMs = this.#doubtWait.takeDecidedSinceMs();
    if (window.frames > framesBefore) this.#time.noteTaken(decidedSinceMs ?? this.#options.clock.now());
    // The first frame brings a nearer deadline; the last one the end.
    if (window.ending !== null || (framesBefore === 0 && window.frames > 0)) this.#waker.wake();
  }

  /** Whether more frames may still come behind the one that is doubted. Where none can, it is read again or decided. */
  #waitBehindDoubt(): boolean {
    const next = this.#doubtWait.next(this.#subscription, this.#state);
    if (next === "wait") this.#subscription.admit();
    if (next === "reconnect") this.#reconnect("the connection ended behind a sequence number that may be wrong");
    return next === "wait";
  }

  #reconnect(detail: string): void {
    this.#options.onLog?.(`${detail}; reconnecting`);
    this.#subscription.drop(detail);
    this.#gapProof.reset();
    this.#waker.wake();
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

  #judgeHost(window: WindowBuilder): void {
    const verdict = this.#idleDetector.judge(this.#subscription, this.#state);
    if (verdict.kind === "end" && verdict.ending.because === "quiet" && this.#state.isDoubting) {
      // Nothing more comes behind it: what can be said of it is said now, and what it was decides how the window ends.
      const { position } = this.#state;
      this.#doubtWait.decideNow();
      this.#takeFrames();
      const isNothing = this.#state.position === position && this.#subscription.frames.isEmpty;
      if (isNothing && window.ending === null) this.#endForGood(window, verdict.ending);
      this.#waker.wake();
    } else if (verdict.kind === "end") this.#endForGood(window, verdict.ending);
    else if (verdict.kind === "reconnect") this.#reconnect(verdict.detail);
  }

  #nextDeadlineMs(window: WindowBuilder): number {
    return Math.min(
      this.#time.nextMs(window, this.#subscription, this.#state),
      this.#subscription.nextDeadlineMs(),
      this.#idleDetector.deadlineMs,
      this.#doubtWait.deadlineMs(this.#subscription, this.#state),
      this.#gapProof.deadlineMs,
    );
  }
}
