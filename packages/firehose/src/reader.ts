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
import { verifyWindow } from "./verify-window.ts";
import { Waker } from "./waker.ts";
import { type Ending, WindowBuilder } from "./window-builder.ts";

const DEFAULT_MEMORY_CHECK_INTERVAL = 100;

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

  constructor(options: FirehoseReaderOptions) {
    const { url, userAgent, clock, random } = options;
    const timings = { ...DEFAULT_TIMINGS, ...options.timings };
    const { connectTimeoutMs, probeTimeoutMs } = timings;
    const looking = { url, userAgent, clock, connectTimeoutMs };
    const onWake = (): void => this.#waker.wake();
    this.#options = options;
    this.#timings = timings;
    this.#waker = new Waker(clock);
    this.#hostWatch = new HostWatch({
      silentSinceMs: options.position.silentSinceMs ?? null,
      clock,
      timings,
      probe: (look, signal) => probeStream({ ...looking, ...look }, signal),
      onWake,
    });
    this.#gapProof = new GapProof({
      clock,
      timings,
      probe: (signal) => probeStream({ ...looking, cursor: 0, listenMs: probeTimeoutMs }, signal),
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
    while (queued !== null && window.ending === null) {
      const receivedBefore = window.received;
      const step = this.#intake.take(queued, window);
      switch (step.kind) {
        case "taken":
          this.#subscription.shift();
          if (step.isGood) this.#subscription.noteGoodFrame();
          this.#checkMemory(window, window.received - receivedBefore);
          break;
        case "full":
          window.end(step.because);
          break;
        case "suspicious":
          this.#gapProof.suspect(step.cursor, step.first);
          this.#waker.wake();
          return;
        case "reconnect":
          this.#reconnect(step.detail);
          break;
        case "end":
          this.#endForGood(window, { because: step.because, detail: step.detail });
          break;
      }
      queued = this.#subscription.peek();
    }
    if (window.frames > framesBefore) this.#lastTakenMs = this.#options.clock.now();
    // The first frame brings a nearer deadline; the last one the end.
    if (window.ending !== null || (framesBefore === 0 && window.frames > 0)) this.#waker.wake();
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
    if (ending.because === "caught-up" || ending.because === "quiet") return;
    this.#terminal = ending;
    this.#subscription.close();
  }

  #judgeHost(window: WindowBuilder): void {
    const verdict = this.#hostWatch.judge(this.#subscription, this.#intake);
    if (verdict.kind === "end") this.#endForGood(window, verdict.ending);
    else if (verdict.kind === "reconnect") this.#reconnect(verdict.detail);
  }

  #judgeTime(window: WindowBuilder, deadlineMs: number): void {
    const subscription = this.#subscription;
    const nowMs = this.#options.clock.now();
    if (window.frames > 0) {
      const isIdle = nowMs >= this.#lastTakenMs + this.#timings.idleMs && subscription.peek() === null;
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

  #nextDeadlineMs(window: WindowBuilder, deadlineMs: number): number {
    const isIdling = window.frames > 0 && this.#subscription.peek() === null;
    const idleMs = isIdling ? this.#lastTakenMs + this.#timings.idleMs : Number.POSITIVE_INFINITY;
    return Math.min(
      deadlineMs,
      idleMs,
      this.#subscription.nextDeadlineMs(),
      this.#hostWatch.deadlineMs,
      this.#gapProof.deadlineMs,
    );
  }
}
