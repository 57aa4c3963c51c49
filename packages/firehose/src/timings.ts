/** All durations that reading depends on. Tests shorten them. */

export interface FirehoseTimings {
  /** If frames came and then none for this long, the window is handed on. */
  readonly idleMs: number;
  /** How long nothing may come on each of the three connections of the quiet-host proof. */
  readonly quietMs: number;
  /** A host that never sends a frame in this time is silent. */
  readonly silentMs: number;
  /** The wait before the first reconnect is between these two. */
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** After connections that brought no frame the wait grows, up to this. */
  readonly backOffMaxMs: number;
  /** The longest wait until the socket is open. */
  readonly connectTimeoutMs: number;
  /** After so much silence a ping is sent. It is below `quietMs`, because the quiet-host proof needs the answer. */
  readonly pingAfterMs: number;
  /** The time between further pings, while nothing else comes. */
  readonly pingIntervalMs: number;
  /** If neither a frame nor a pong comes for this long after a ping, the connection is half open. */
  readonly pongTimeoutMs: number;
  /** If the first frame of a connection is this much later than the cursor, there may be a gap before it. */
  readonly gapSuspicionMs: number;
  /** At most one probe for a gap is sent in this time. */
  readonly gapProbeIntervalMs: number;
  /** The longest time that a probe waits for its first frame. */
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
