/** Waits for something, but not for ever. */
import type { Clock } from "@firehose-backfill/core/clock";

/** At most so long, and not after the signal. */
export async function within(clock: Clock, ms: number, done: Promise<void>, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  const patience = new AbortController();
  const end = (): void => patience.abort("it is over");
  signal?.addEventListener("abort", end, { once: true });
  await Promise.race([done, clock.sleep(Math.max(0, ms), patience.signal)]);
  signal?.removeEventListener("abort", end);
  end();
}
