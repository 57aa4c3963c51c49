/**
 * Looks at a stream: it connects, waits for one frame or for a sample of them, and closes. So it shows where the stream of a
 * host stands at a cursor. The proofs of a gap and of a quiet host use it, and so does the search for a start by time.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import type { Position } from "@firehose-backfill/core/position";
import { connect, type ConnectionEnd } from "./connection.ts";
import type { MessageFrame } from "./frame-types.ts";
import { quote } from "./quote.ts";
import { readFrame } from "./frame.ts";

export interface ProbeOptions {
  /** `wss://host[:port]` or, on loopback, `ws://host:port`. */
  readonly url: string;
  /** null: without a cursor, so the host sends live frames. */
  readonly cursor: number | null;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  /** How long to wait for the frame once the connection is open. */
  readonly listenMs: number;
  /** Frames up to this seq are ignored. -1 or left out: none are. */
  readonly aboveSeq?: number;
  /** True: the frame is ignored. */
  readonly isNoNews?: (bytes: Buffer) => boolean;
  /** Take so many frames, as far as they come within `forMs` of the first. Left out: take one. */
  readonly sample?: { readonly frames: number; readonly forMs: number };
  /** Called with each message that counts. The bytes belong to the socket. False: close, no more messages are needed. */
  readonly onMessage?: (frame: MessageFrame, bytes: Buffer) => boolean;
}

export type ProbeResult =
  /** The first frame that has a seq and a time. `isOutdated`: before it, the host said that it no longer has the cursor. */
  | {
      readonly kind: "frame";
      readonly position: Position;
      readonly isOutdated: boolean;
      /** If a sample was asked for: the first frame and the ones behind it. */
      readonly sample?: readonly Position[];
    }
  | { readonly kind: "silent" }
  /** An error frame: `FutureCursor`, ... */
  | { readonly kind: "error-frame"; readonly error: string; readonly message: string }
  /** No connection, a broken frame, or the end before a frame came. `status`: the HTTP status that came instead of the upgrade. */
  | { readonly kind: "failed"; readonly detail: string; readonly status?: number };

/** Never rejects. An abort resolves as `failed`. */
export function probeStream(options: ProbeOptions, signal: AbortSignal): Promise<ProbeResult> {
  const { clock, aboveSeq = -1, sample } = options;
  return new Promise((resolve) => {
    const over = new AbortController();
    const seen: Position[] = [];
    let isOutdated = false;

    const finish = (result: ProbeResult): void => {
      if (over.signal.aborted) return;
      over.abort();
      signal.removeEventListener("abort", onAbort);
      connection.drop();
      resolve(seenSoFar() ?? result);
    };
    /** Frames that have come are the result, also if the connection failed after them. */
    const seenSoFar = (): ProbeResult | null => {
      const [position] = seen;
      if (position === undefined) return null;
      return { kind: "frame", position, isOutdated, ...(sample === undefined ? {} : { sample: seen }) };
    };
    const see = (position: Position): void => {
      seen.push(position);
      if (seen.length >= (sample?.frames ?? 1)) finish({ kind: "silent" });
      else if (seen.length === 1) void limit(new AbortController(), sample?.forMs ?? 0, { kind: "silent" });
    };
    const onAbort = (): void => finish({ kind: "failed", detail: "aborted" });
    const limit = async (waits: AbortController, ms: number, result: ProbeResult): Promise<void> => {
      const waiting = AbortSignal.any([waits.signal, over.signal]);
      await clock.sleep(ms, waiting);
      if (!waiting.aborted) finish(result);
    };

    const connecting = new AbortController();
    const connection = connect({
      url: options.url,
      cursor: options.cursor,
      userAgent: options.userAgent,
      onOpen: () => {
        connecting.abort();
        void limit(new AbortController(), options.listenMs, { kind: "silent" });
      },
      onFrame: (bytes, isBinary) => {
        if (options.isNoNews?.(bytes) === true) return;
        const frame = isBinary ? readFrame(bytes) : ({ kind: "broken", reason: "a text frame" } as const);
        switch (frame.kind) {
          case "broken":
            finish({ kind: "failed", detail: `a broken frame: ${frame.reason}` });
            return;
          case "error":
            finish({ kind: "error-frame", error: quote(frame.error), message: quote(frame.message) });
            return;
          case "info":
            isOutdated ||= frame.name === "OutdatedCursor";
            return;
          case "unknown":
          case "commit":
          case "sync":
          case "identity":
          case "account":
            if (frame.seq === null || frame.seq <= aboveSeq || Number.isNaN(frame.timeMs)) return;
            see({ seq: frame.seq, timeMs: frame.timeMs });
            if (frame.kind !== "unknown" && options.onMessage?.(frame, bytes) === false) finish({ kind: "silent" });
        }
      },
      onPong: () => undefined,
      onEnd: (end) => finish({ kind: "failed", ...describeEnd(end) }),
    });
    signal.addEventListener("abort", onAbort, { once: true });
    void limit(connecting, options.connectTimeoutMs, { kind: "failed", detail: "the connection did not open in time" });
    if (signal.aborted) onAbort();
  });
}

function describeEnd(end: ConnectionEnd): { detail: string; status?: number } {
  switch (end.kind) {
    case "closed":
      return { detail: `closed with ${end.code}` };
    case "failed":
      return { detail: end.error };
    case "frame-too-large":
      return { detail: "a frame that is too large" };
    case "http":
      return { detail: `HTTP ${end.status}`, status: end.status };
    default: {
      const unreachable: never = end;
      return unreachable;
    }
  }
}
