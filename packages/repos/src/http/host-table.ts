/** Keeps the states of the most recently used hosts in memory: did:web accounts alone may name any number of hosts. */
import type { HostState } from "./host-state.ts";
import type { HostStates } from "./polite-client.ts";

export function hostTable(maxHosts: number): HostStates {
  /** In order of use, the least recent first. */
  const states = new Map<string, HostState>();
  return {
    get: (host) => states.get(host),
    set: (host, state) => {
      states.delete(host);
      states.set(host, state);
      if (states.size <= maxHosts) return;
      for (const oldest of states.keys()) {
        states.delete(oldest);
        break;
      }
    },
  };
}
