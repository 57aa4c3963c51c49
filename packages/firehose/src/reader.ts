/**
 * From a relay socket to windows of events. The socket's frames are taken as they come; this file decides when a
 * window is over, and when a host is quiet, silent, stuck or gone. All waiting goes through the injected clock.
 */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { Position } from "@firehose-backfill/core/position";
import { GapProof } from "./gap-proof.ts";
import { HostWatch } from "./host-watch.ts";
import { Intake } from "./intake.ts";
import { probeStream } from "./probe.ts";
import { Subscription } from "./subscription.ts";
import { DEFAULT_TIMINGS, type FirehoseTimings } from "./timings.ts";
import type { FirehoseReader, FirehoseReaderOptions, Window, WindowLimits } from "./types.ts";
import type { Patience } from "./seq-doubt.ts";
import { FEWEST_FRAMES } from "./seek-search.ts";
import { verifyWindow } from "./verify-window.ts";
import { Waker } from "./waker.ts";
import { type Ending, WindowBuilder } from "./window-builder.ts";

const DEFAULT_MEMORY_CHECK_INTERVAL = 100;
/** Of the oldest frames that a host keeps: the first alone may have a number that is not true. */
const GAP_SAMPLE = { frames: FEWEST_FRAMES, forMs: 200 };
/** Connections that may end at a frame that is doubted before it is decided without those behind it. */
const MOST_CUTS = 3;

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
  readonly #hostWatch: HostWatch;
  readonly #gapProof: GapProof;
  readonly #subscription: Subscription;
  #intake: Intake;
  /** Of the last window: its memory is for the next one. */
  #log = new EventLog();
  #window: WindowBuilder | null = null;
  /** The network said something that no further window can change. */
  #terminal: Ending | null = null;
  #lastTakenMs = 0;
  #uncheckedEvents = 0;
  /** Nothing will come behind the frame that is doubted. */
  #isLastDoubt = false;
  /** Since when nothing came behind a frame that was decided for that reason; null: none was. */
  #decidedSinceMs: number | null = null;
  /** Connections that ended at a doubted frame behind this position. */
  #cuts = 0;
  #cutAt: Position | null = null;

  constructor(options: FirehoseReaderOptions) {
    const { url, userAgent, clock, random } = options;
    const timings = { ...DEFAULT_TIMINGS, ...options.timings };
    const { connectTimeoutMs, probeTimeoutMs } = timings;
    const looking = { url, userAgent, clock, connectTimeoutMs };
    const onWake = (): void => this.#waker.wake();
    const isNoNews = (bytes: Buffer): boolean => this.#intake.isNoNews(bytes);
    this.#options = options;
    this.#timings = timings;
    this.#waker = new Waker(clock);
    this.#hostWatch = new HostWatch({
      silentSinceMs: options.position.silentSinceMs ?? null,
      clock,
      timings,
      probe: (look, signal) => probeStream({ ...looking, ...look, isNoNews }, signal),
      onWake,
    });
    this.#gapProof = new GapProof({
      clock,
      timings,
      probe: (signal) => probeStream({ ...looking, cursor: 0, listenMs: probeTimeoutMs, sample: GAP_SAMPLE }, signal),
      onWake,
    });
    this.#intake = this.#newIntake(options.position);
    this.#subscription = new Subscription({
      url,
      userAgent,
      clock,
      random,
      timings,
      nextConnect: () => {
        this.#intake.newConnection();
        return { cursor: this.#intake.cursor, allowOversize: this.#intake.allowOversize };
      },
      onFrames: () => this.#takeFrames(),
      onWake,
    });
  }

  async readWindow(limits: WindowLimits, signal: AbortSignal): Promise<Window> {
    const { clock } = this.#options;
    const before = this.#intake.snapshot();
    const window = this.#newWindow(limits, before.cursor);
    const deadlineMs = clock.now() + limits.maxMs;
    const onAbort = (): void => this.#waker.wake();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#window = window;
    try {
      this.#checkBefore(window, signal);
      while (window.ending === null) {
        this.#advance(window, deadlineMs);
        if (signal.aborted) window.end("aborted");
        if (window.ending === null) await this.#waker.sleepUntil(this.#nextDeadlineMs(window, deadlineMs));
      }
    } finally {
      this.#window = null;
      signal.removeEventListener("abort", onAbort);
    }
    const { resolveKey } = this.#options;
    if (resolveKey === undefined || window.pendingSignatures.length === 0) return window.finish(this.#intake.facts());
    const failure = await verifyWindow(window, { resolveKey, clock, random: this.#options.random, signal });
    if (failure === null) return window.finish(this.#intake.facts());
    // Nothing of it may be handed on: it is read again from where it began.
    this.#intake = this.#newIntake(before);
    this.#subscription.drop(failure);
    this.#gapProof.reset();
    const nothing = this.#newWindow(limits, before.cursor);
    nothing.end(signal.aborted ? "aborted" : "unreachable", failure);
    return nothing.finish(this.#intake.facts());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#window?.end("aborted");
    this.#terminal ??= { because: "aborted", detail: "the reader is closed" };
    this.#hostWatch.reset();
    this.#gapProof.reset();
    this.#subscription.close();
    this.#waker.wake();
    await Promise.resolve();
  }

  #newWindow(limits: WindowLimits, from: Position | null): WindowBuilder {
    this.#log = this.#log.renew();
    return new WindowBuilder(limits, from, this.#log);
  }

  #newIntake(position: FirehoseReaderOptions["position"]): Intake {
    const { clock, filter, verify } = this.#options;
    return new Intake(position, {
      clock,
      rules: { filter, verify },
      isSuspicious: (cursorMs, firstMs) => this.#gapProof.isSuspicious(cursorMs, firstMs),
      peekAt: (index) => this.#subscription.peekAt(index),
      patience: () => this.#patience(),
    });
  }

  #checkBefore(window: WindowBuilder, signal: AbortSignal): void {
    if (signal.aborted) window.end("aborted");
    else if (this.#terminal !== null) window.end(this.#terminal.because, this.#terminal.detail);
    else if (this.#intake.isAtEnd()) window.end("caught-up");
    else if (this.#options.isMemoryTight()) window.end("memory");
  }

  /** Everything that can be done now; ends the window where it is over. */
  #advance(window: WindowBuilder, deadlineMs: number): void {
    this.#subscription.poll();
    this.#gapProof.poll();
    const finding = this.#gapProof.takeFinding();
    if (finding !== null) {
      if (finding.gap !== null) window.addGap(finding.gap);
      if (finding.oldestKeptMs !== null) window.noteOldestKept(finding.oldestKeptMs);
      this.#intake.settleGap();
    }
    this.#takeFrames();
    if (window.ending === null) this.#judgeHost(window);
    if (window.ending === null) this.#judgeTime(window, deadlineMs);
  }

  /** Takes what is queued, as far as it fits. Called for frames as they come, and whenever something else changed. */
  #takeFrames(): void {
    const window = this.#window;
    if (window === null || this.#gapProof.isPending) return;
    const framesBefore = window.frames;
    let queued = this.#subscription.peek();
    let isHeld = false;
    while (queued !== null && !isHeld && window.ending === null) {
      const receivedBefore = window.received;
      const step = this.#intake.take(queued, window);
      switch (step.kind) {
        case "taken":
          this.#subscription.shift();
          this.#isLastDoubt = false;
          if (step.isGood) this.#subscription.noteGoodFrame();
          this.#checkMemory(window, window.received - receivedBefore);
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
      queued = this.#subscription.peek();
    }
    if (window.frames > framesBefore) this.#lastTakenMs = this.#decidedSinceMs ?? this.#options.clock.now();
    this.#decidedSinceMs = null;
    // The first frame brings a nearer deadline; the last one the end.
    if (window.ending !== null || (framesBefore === 0 && window.frames > 0)) this.#waker.wake();
  }

  /** Whether more frames may still come behind the one that is doubted. Where none can, it is read again or decided. */
  #waitBehindDoubt(): boolean {
    const subscription = this.#subscription;
    if (!subscription.isCut) {
      subscription.admit();
      return true;
    }
    if (this.#intake.position !== this.#cutAt) this.#cuts = 0;
    this.#cutAt = this.#intake.position;
    this.#cuts++;
    // Without a cursor it would not come again.
    if (this.#cuts >= MOST_CUTS || this.#intake.cursor === null) {
      this.#cuts = 0;
      this.#isLastDoubt = true;
    } else this.#reconnect("the connection ended behind a sequence number that may be wrong");
    return false;
  }

  #patience(): Patience {
    const subscription = this.#subscription;
    if (this.#isLastDoubt) return "end";
    if (subscription.isCut) return "pause";
    const sinceMs = subscription.quietSinceMs(true);
    if (sinceMs === null) return "none";
    const quietForMs = this.#options.clock.now() - sinceMs;
    if (quietForMs >= this.#timings.idleMs) this.#decidedSinceMs = sinceMs;
    if (quietForMs >= this.#timings.quietMs) return "silence";
    return quietForMs >= this.#timings.idleMs ? "pause" : "none";
  }

  #checkMemory(window: WindowBuilder, events: number): void {
    this.#uncheckedEvents += Math.max(events, 1);
    if (this.#uncheckedEvents < (this.#options.memoryCheckInterval ?? DEFAULT_MEMORY_CHECK_INTERVAL)) return;
    this.#uncheckedEvents = 0;
    if (this.#options.isMemoryTight()) window.end("memory");
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
      this.#intake.settleAtStart(window);
      return;
    }
    this.#terminal = ending;
    this.#subscription.close();
  }

  #judgeHost(window: WindowBuilder): void {
    const verdict = this.#hostWatch.judge(this.#subscription, this.#intake);
    if (verdict.kind === "end" && verdict.ending.because === "quiet" && this.#intake.isDoubting) {
      // Nothing more comes behind it: what can be said of it is said now, and what it was decides how the window ends.
      const { position } = this.#intake;
      this.#isLastDoubt = true;
      this.#takeFrames();
      const isNothing = this.#intake.position === position && this.#subscription.peek() === null;
      if (isNothing && window.ending === null) this.#endForGood(window, verdict.ending);
      this.#waker.wake();
    } else if (verdict.kind === "end") this.#endForGood(window, verdict.ending);
    else if (verdict.kind === "reconnect") this.#reconnect(verdict.detail);
  }

  #judgeTime(window: WindowBuilder, deadlineMs: number): void {
    const subscription = this.#subscription;
    const nowMs = this.#options.clock.now();
    if (window.frames > 0) {
      const isIdle = nowMs >= this.#lastTakenMs + this.#timings.idleMs && this.#isWaitingForFrames();
      if (isIdle) window.end("idle");
      else if (nowMs >= deadlineMs) window.end("time");
      return;
    }
    // Nobody waits for a connection that this window would not see.
    const isHopeless = subscription.isFailing && (subscription.retryAtMs ?? 0) >= deadlineMs;
    if (nowMs < deadlineMs && !isHopeless) return;
    if (this.#intake.isBroken) window.end("bad-frame", subscription.detail);
    else if (subscription.isFailing) window.end("unreachable", subscription.detail);
    else window.end("time");
  }

  #isWaitingForFrames(): boolean {
    return this.#intake.isDoubting || this.#subscription.peek() === null;
  }

  /** When a doubted frame is looked at again, if nothing comes behind it. */
  #doubtDeadlineMs(): number {
    if (!this.#intake.isDoubting) return Number.POSITIVE_INFINITY;
    const sinceMs = this.#subscription.quietSinceMs(true);
    if (sinceMs === null) return Number.POSITIVE_INFINITY;
    const { idleMs, quietMs } = this.#timings;
    const nowMs = this.#options.clock.now();
    const dueMs = [sinceMs + idleMs, sinceMs + quietMs].filter((ms) => ms > nowMs);
    return Math.min(...dueMs, Number.POSITIVE_INFINITY);
  }

  #nextDeadlineMs(window: WindowBuilder, deadlineMs: number): number {
    const isIdling = window.frames > 0 && this.#isWaitingForFrames();
    const idleMs = isIdling ? this.#lastTakenMs + this.#timings.idleMs : Number.POSITIVE_INFINITY;
    return Math.min(
      deadlineMs,
      idleMs,
      this.#subscription.nextDeadlineMs(),
      this.#hostWatch.deadlineMs,
      this.#doubtDeadlineMs(),
      this.#gapProof.deadlineMs,
    );
  }
}
