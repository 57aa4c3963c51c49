/** Ctrl-C and SIGTERM: the first one asks for a graceful stop, the second one ends the process immediately. */
import type { CliContext } from "./context.ts";
import { exitCodeOfSignal, type StopSignal } from "./exit-code.ts";

/**
 * In a terminal, one Ctrl-C reaches the whole process group, and npm (and an older Node that started this one) also passes it
 * on, so the same signal arrives two or three times within milliseconds. They count as one.
 */
const SAME_SIGNAL_MS = 200;

export interface StopSignals extends Disposable {
  /** Aborts at the first signal. */
  readonly stop: AbortSignal;
  /** The first signal; null: none came. */
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
    } else if (atMs - first.atMs >= SAME_SIGNAL_MS) context.exitNow(exitCodeOfSignal(signal));
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
