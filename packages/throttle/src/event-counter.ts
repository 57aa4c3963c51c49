/** MEMORY_CHECK_INTERVAL: says when so many events have gone by since the last check. */
export interface EventCounter {
  /** Adds `events`; true once the interval is reached, and counting begins anew. */
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
