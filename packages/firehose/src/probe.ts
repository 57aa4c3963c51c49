/**
 * A look at a stream: connect, wait for one frame, close. Tells where a host's stream stands at a cursor;
 * used for the gap proof, the quiet-host proof and for finding a start by time.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import type { Position } from "@firehose-backfill/core/position";
import { connect, type ConnectionEnd } from "./connection.ts";
import { quote } from "./kept-bytes.ts";
import { readFrame } from "./frame.ts";

export interface ProbeOptions {
  /** `wss://host[:port]` */
  readonly url: string;
  /** null: without a cursor, live. */
  readonly cursor: number | null;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  /** How long to wait for the frame once the connection is open. */
  readonly listenMs: number;
  /** Frames up to this seq are passed over; -1 or absent: none are. */
  readonly aboveSeq?: number;
}

export type ProbeResult =
  /** The first frame that has a seq and a time. `isOutdated`: the host said first that it no longer has the cursor. */
  | { readonly kind: "frame"; readonly position: Position; readonly isOutdated: boolean }
  | { readonly kind: "silent" }
  /** An error frame: `FutureCursor`, ... */
  | { readonly kind: "error-frame"; readonly error: string; readonly message: string }
  /** No connection, a broken frame, or an end before anything came. */
  | { readonly kind: "failed"; readonly detail: string };

/** Never rejects. An abort resolves as `failed`. */
export function probeStream(options: ProbeOptions, signal: AbortSignal): Promise<ProbeResult> {
  const { clock, aboveSeq = -1 } = options;
  return new Promise((resolve) => {
    const over = new AbortController();
    let isOutdated = false;

    const finish = (result: ProbeResult): void => {
      if (over.signal.aborted) return;
      over.abort();
      signal.removeEventListener("abort", onAbort);
      connection.drop();
      resolve(result);
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
            finish({ kind: "frame", position: { seq: frame.seq, timeMs: frame.timeMs }, isOutdated });
        }
      },
      onPong: () => undefined,
      onEnd: (end) => finish({ kind: "failed", detail: describeEnd(end) }),
    });
    signal.addEventListener("abort", onAbort, { once: true });
    void limit(connecting, options.connectTimeoutMs, { kind: "failed", detail: "the connection did not open in time" });
    if (signal.aborted) onAbort();
  });
}

function describeEnd(end: ConnectionEnd): string {
  switch (end.kind) {
    case "closed":
      return `closed with ${end.code}`;
    case "failed":
      return end.error;
    case "frame-too-large":
      return "a frame that is too large";
    case "http":
      return `HTTP ${end.status}`;
    default: {
      const unreachable: never = end;
      return unreachable;
    }
  }
}
