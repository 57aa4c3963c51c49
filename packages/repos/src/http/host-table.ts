/** States of hosts in memory, of the hosts that were asked last: did:web accounts alone may name any number of them. */
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
