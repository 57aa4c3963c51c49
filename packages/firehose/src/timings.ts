/** Every duration that reading depends on, in one place; tests shorten them. */

export interface FirehoseTimings {
  /** Frames came, and then none for this long: the window is handed on. */
  readonly idleMs: number;
  /** How long nothing may come on each of the three connections of the quiet-host proof. */
  readonly quietMs: number;
  /** A host that never sends a frame. */
  readonly silentMs: number;
  /** The first reconnect comes between these two. */
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** Connections that bring no frame are followed by longer and longer waits, up to this. */
  readonly backOffMaxMs: number;
  /** Until the socket is open. */
  readonly connectTimeoutMs: number;
  /** Silence after which a ping is sent. Below `quietMs`: the proof needs its answer. */
  readonly pingAfterMs: number;
  /** From then on, as long as nothing else comes. */
  readonly pingIntervalMs: number;
  /** No frame and no pong for this long after a ping: the connection is half open. */
  readonly pongTimeoutMs: number;
  /** A connection's first frame this much later than the cursor (by its time) raises the suspicion of a gap. */
  readonly gapSuspicionMs: number;
  /** At most one gap probe in this time. */
  readonly gapProbeIntervalMs: number;
  /** Longest that a probe waits for its first frame. */
  readonly probeTimeoutMs: number;
}

export const DEFAULT_TIMINGS: FirehoseTimings = {
  idleMs: 1_000,
  quietMs: 5_000,
  silentMs: 60_000,
  reconnectMinMs: 100,
  reconnectMaxMs: 500,
  backOffMaxMs: 30_000,
  connectTimeoutMs: 10_000,
  pingAfterMs: 1_000,
  pingIntervalMs: 15_000,
  pongTimeoutMs: 20_000,
  gapSuspicionMs: 600_000,
  gapProbeIntervalMs: 60_000,
  probeTimeoutMs: 10_000,
};
