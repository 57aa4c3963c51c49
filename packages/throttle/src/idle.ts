/** BACKFILL_USE_IDLE: lets all other work on the event loop run before the next batch is applied. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
