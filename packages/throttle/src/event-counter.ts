/** MEMORY_CHECK_INTERVAL: reports when this many events have passed since the last check. */
export interface EventCounter {
  /** Adds `events`; true once the interval is reached, and the count begins again. */
  add(events: number): boolean;
}

export function createEventCounter(interval: () => number): EventCounter {
  let since = 0;
  return {
    add(events) {
      since += events;
      if (since < interval()) return false;
      since = 0;
      return true;
    },
  };
}
