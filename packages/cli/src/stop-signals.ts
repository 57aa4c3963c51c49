/** Ctrl-C and SIGTERM: the first one asks for a graceful stop, the second one ends the process where it stands. */
import type { CliContext } from "./context.ts";
import { exitCodeOfSignal, type StopSignal } from "./exit-code.ts";

/**
 * In a terminal one Ctrl-C reaches the whole group, and npm (and an older Node that handed over) passes its own on as
 * well: the same signal arrives two or three times within milliseconds. That is one wish, not two.
 */
const SAME_WISH_MS = 200;

export interface StopSignals extends Disposable {
  /** Aborts at the first signal. */
  readonly stop: AbortSignal;
  /** The first one; null: none came. */
  received(): StopSignal | null;
}

export function listenForStop(
  context: Pick<CliContext, "onSignal" | "exitNow" | "clock">,
  onFirst: (signal: StopSignal) => void,
): StopSignals {
  const controller = new AbortController();
  let first: { readonly signal: StopSignal; readonly atMs: number } | null = null;
  const handle = (signal: StopSignal): void => {
    const atMs = context.clock.now();
    if (first === null) {
      first = { signal, atMs };
      onFirst(signal);
      controller.abort();
    } else if (atMs - first.atMs >= SAME_WISH_MS) context.exitNow(exitCodeOfSignal(signal));
  };
  const offs = (["SIGINT", "SIGTERM"] as const).map((signal) => context.onSignal(signal, () => handle(signal)));
  return {
    stop: controller.signal,
    received: () => first?.signal ?? null,
    [Symbol.dispose]: () => {
      for (const off of offs) off();
    },
  };
}
