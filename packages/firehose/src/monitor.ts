/**
 * Watches the host while a reader waits for it: whether it still answers, whether something is missing before the first frame
 * of a connection, and what its silence means. The reader polls it after it has taken the frames that came, because a frame
 * that was taken begins a new silence. What the monitor uses stands behind it: liveness.ts, gap-proof.ts, quiet-proof.ts,
 * doubt-wait.ts and waker.ts.
 *
 *                    (refused for good) ────────────────────────────────────────────► end: refused
 *                             │
 *        the connection opens │         the first frame is much later than the cursor
 *   not open ─────────────────┴─► watching ─────────────────────────────────────────► held
 *      ▲                          │  │  ▲                                               │
 *      │    no answer to a ping   │  │  └──── gap-checked, when the probe has ended ────┘
 *      ├──────────────────────────┘  │
 *      │                             ├── no frame in the whole run for silentMs ──────► end: host-silent
 *      │                             │
 *      │                             │ no frame for quietMs, and a ping was answered
 *      │                             ▼
 *      │                       second connection ── nothing ─► live connection ─ nothing ─► end: quiet
 *      │                             │ a frame                     │ a frame
 *      │                             ▼                             ▼
 *      └── reconnect ◄── quietMs of grace              quietMs of grace ──────────────► end: silent-on-cursor
 *
 * From both looks and both graces, a frame on the watched connection leads back to watching, and so does the end of the
 * connection. A look that fails does so too, and the next one comes after six times quietMs. When a connection that gives no
 * answer is dropped, a probe for a gap goes on, because only one may be sent in gapProbeIntervalMs.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { DoubtWait } from "./doubt-wait.ts";
import { GAP_SAMPLE, type GapFinding, GapProof, type Suspicion } from "./gap-proof.ts";
import { Liveness } from "./liveness.ts";
import type { ProbeOptions, ProbeResult } from "./probe.ts";
import { QuietProof } from "./quiet-proof.ts";
import type { StreamState } from "./stream-state.ts";
import type { Subscription } from "./subscription.ts";
import type { FirehoseTimings } from "./timings.ts";
import { Waker } from "./waker.ts";
import type { Ending } from "./window-builder.ts";

export type MonitorVerdict =
  /** Nothing is to be done before `deadlineMs`. */
  | { readonly kind: "open" }
  /** The frames that were held can be taken. */
  | { readonly kind: "gap-checked"; readonly finding: GapFinding }
  /** The connection is to be replaced. */
  | { readonly kind: "reconnect"; readonly detail: string }
  /** The host has nothing more for this reader. */
  | { readonly kind: "end"; readonly ending: Ending };

export type WatchedConnection = Pick<
  Subscription,
  "isOpen" | "isFlowing" | "isCut" | "openedMs" | "refused" | "frames" | "ping" | "drop"
>;
export type WatchedStream = Pick<StreamState, "hostSeen" | "isDoubting" | "cursor" | "position" | "isNoNews">;

export interface MonitorOptions {
  readonly clock: Clock;
  readonly timings: FirehoseTimings;
  /** Since when the run has waited for its first frame. null: since the first connection. */
  readonly silentSinceMs: number | null;
  /** Asked each time: the reader makes the connection after its monitor, and may begin a new stream. */
  readonly watched: () => { readonly connection: WatchedConnection; readonly stream: WatchedStream };
  /** Looks at the host on a connection of its own. */
  readonly probe: (
    look: Pick<ProbeOptions, "cursor" | "listenMs" | "aboveSeq" | "isNoNews" | "sample">,
    signal: AbortSignal,
  ) => Promise<ProbeResult>;
}

const OPEN: MonitorVerdict = { kind: "open" };

export class Monitor {
  /** A frame whose number is doubted asks here how long it waits. Its deadline is a part of the monitor's. */
  readonly doubt: DoubtWait;
  readonly #options: MonitorOptions;
  readonly #liveness: Liveness;
  readonly #gapProof: GapProof;
  readonly #quietProof: QuietProof;
  readonly #waker: Waker;
  #silentSinceMs: number | null;
  #silenceDueMs = Number.POSITIVE_INFINITY;

  constructor(options: MonitorOptions) {
    const { clock, timings, watched, probe } = options;
    const onWake = (): void => this.wake();
    const gapLook = { cursor: 0, listenMs: timings.probeTimeoutMs, sample: GAP_SAMPLE };
    const isNoNews = (bytes: Buffer): boolean => watched().stream.isNoNews(bytes);
    this.#options = options;
    this.#silentSinceMs = options.silentSinceMs;
    this.#liveness = new Liveness(timings);
    this.#gapProof = new GapProof({ clock, timings, probe: (signal) => probe(gapLook, signal), onWake });
    this.#quietProof = new QuietProof({
      clock,
      timings,
      probe: (look, signal) => probe({ ...look, isNoNews }, signal),
      onWake,
    });
    this.doubt = new DoubtWait({
      clock,
      timings,
      isCut: () => watched().connection.isCut,
      quietSinceMs: () => this.#quietSinceMs(true),
    });
    this.#waker = new Waker(clock);
  }

  /** The subscription reports here what comes from the other end. */
  get signs(): Pick<Liveness, "frame" | "pong"> {
    return this.#liveness;
  }

  /** Frames must not be taken before `poll` has said `gap-checked`. */
  get isHolding(): boolean {
    return this.#gapProof.isPending || this.#gapProof.hasFinding;
  }

  /** When to poll again, if nothing happens before. */
  get deadlineMs(): number {
    const { connection, stream } = this.#options.watched();
    return Math.min(
      connection.isFlowing ? this.#liveness.deadlineMs() : Number.POSITIVE_INFINITY,
      this.#silenceDueMs,
      this.#gapProof.deadlineMs,
      this.#quietProof.deadlineMs,
      stream.isDoubting ? this.doubt.deadlineMs : Number.POSITIVE_INFINITY,
    );
  }

  /** Sends pings and probes whose time has come, drops a connection that does not answer, and says what the reader has to do. */
  poll(nowMs: number): MonitorVerdict {
    const { connection, stream } = this.#options.watched();
    this.#silenceDueMs = Number.POSITIVE_INFINITY;
    if (connection.isFlowing) this.#checkLiveness(connection, nowMs);
    this.#gapProof.poll();
    const finding = this.#gapProof.takeFinding();
    if (finding !== null) return { kind: "gap-checked", finding };
    if (connection.refused !== null) return end("refused", connection.refused);
    if (stream.hostSeen) return this.#judgeQuiet(stream);
    return connection.isOpen ? this.#judgeSilence(connection.openedMs, nowMs) : OPEN;
  }

  /** Sleeps until then, or until `poll` has something to do, or until somebody calls `wake`. */
  async sleepUntil(timeMs: number): Promise<void> {
    await this.#waker.sleepUntil(Math.min(timeMs, this.deadlineMs));
  }

  wake(): void {
    this.#waker.wake();
  }

  isSuspicious(cursorTimeMs: number, firstTimeMs: number): boolean {
    return this.#gapProof.isSuspicious(cursorTimeMs, firstTimeMs);
  }

  /** Holds the frames until a probe has looked for what is missing before the first of them. */
  suspect({ cursor, first, isStart }: Suspicion): void {
    this.#gapProof.suspect(cursor, first, isStart);
    this.wake();
  }

  /** The connection that raised a suspicion is gone on purpose. */
  forgetSuspicion(): void {
    this.#gapProof.reset();
  }

  close(): void {
    this.#gapProof.reset();
    this.#quietProof.reset();
    this.wake();
  }

  /** Since when the connection has been open, flowing and without a frame. null: it is not, or frames wait to be taken. */
  #quietSinceMs(areDoubted: boolean): number | null {
    const { connection } = this.#options.watched();
    return connection.isFlowing && (connection.frames.isEmpty || areDoubted) ? this.#liveness.quietSinceMs : null;
  }

  #checkLiveness(connection: WatchedConnection, nowMs: number): void {
    const state = this.#liveness.check(nowMs);
    if (state === "ping") connection.ping();
    if (state === "dead") {
      connection.drop(`half-open: no frame and no pong for ${this.#liveness.silentForMs} ms`);
    }
  }

  #judgeQuiet({ isDoubting, cursor, position }: WatchedStream): MonitorVerdict {
    const verdict = this.#quietProof.poll({
      quietSinceMs: this.#quietSinceMs(isDoubting),
      isAnswering: this.#liveness.isAnswering,
      cursor,
      aboveSeq: position?.seq ?? cursor ?? 0,
    });
    switch (verdict) {
      case "open":
        return OPEN;
      case "stuck":
        return { kind: "reconnect", detail: "another connection brings frames, this one does not" };
      case "quiet":
        return end("quiet", null);
      case "silent-on-cursor":
        return end("silent-on-cursor", `live frames come, but none after ${cursor ?? 0}`);
      default: {
        const unreachable: never = verdict;
        return unreachable;
      }
    }
  }

  /**
   * The host has not sent one frame. A reader often lives for less than silentMs, so the time counts from the run's first
   * reader. Half of it has to pass on one connection, because a host that closes each connection soon is out of reach, and
   * not silent.
   */
  #judgeSilence(openedMs: number, nowMs: number): MonitorVerdict {
    const { silentMs } = this.#options.timings;
    this.#silentSinceMs ??= openedMs;
    this.#silenceDueMs = Math.max(this.#silentSinceMs + silentMs, openedMs + silentMs / 2);
    return nowMs < this.#silenceDueMs ? OPEN : end("host-silent", `no frame for ${silentMs} ms`);
  }
}

function end(because: Ending["because"], detail: string | null): MonitorVerdict {
  return { kind: "end", ending: { because, detail } };
}
