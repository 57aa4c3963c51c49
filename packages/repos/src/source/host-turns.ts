/**
 * One repository of a host is walked at a time: requests to one host go out one after the other anyway, so a second walk would only make both of them last longer. At
 * a slow host, neither would come to a range before the tick ends.
 */

export interface HostTurns {
  /** Resolves when it is this repository's turn, or when the signal is aborted. Whoever calls it must call giveBack(). */
  take(host: string, did: string, signal: AbortSignal): Promise<void>;
  giveBack(did: string): void;
  /** The repository whose turn it is, where this one waits for it; null: it does not wait. */
  heldUpBy(did: string): { readonly host: string; readonly holder: string } | null;
  /** The host whose turn it has; null: it has none. */
  hostOf(did: string): string | null;
}

interface Turn {
  holder: string;
  readonly waiting: Map<string, () => void>;
}

export function hostTurns(): HostTurns {
  const turns = new Map<string, Turn>();
  /** Where each repository has the turn, or waits for it. */
  const hosts = new Map<string, string>();

  const giveBack = (did: string): void => {
    const host = hosts.get(did);
    hosts.delete(did);
    const turn = host === undefined ? undefined : turns.get(host);
    if (host === undefined || turn === undefined) return;
    turn.waiting.delete(did);
    if (turn.holder !== did) return;
    const [next] = turn.waiting;
    if (next === undefined) {
      turns.delete(host);
      return;
    }
    const [holder, begin] = next;
    turn.holder = holder;
    turn.waiting.delete(holder);
    begin();
  };

  return {
    giveBack,
    async take(host, did, signal) {
      if (hosts.get(did) === host) return;
      giveBack(did);
      if (signal.aborted) return;
      hosts.set(did, host);
      const turn = turns.get(host);
      if (turn === undefined) {
        turns.set(host, { holder: did, waiting: new Map() });
        return;
      }
      await new Promise<void>((resolve) => {
        const leave = (): void => {
          giveBack(did);
          resolve();
        };
        signal.addEventListener("abort", leave, { once: true });
        turn.waiting.set(did, () => {
          signal.removeEventListener("abort", leave);
          resolve();
        });
      });
    },
    heldUpBy(did) {
      const host = hosts.get(did);
      const holder = host === undefined ? undefined : turns.get(host)?.holder;
      return host === undefined || holder === undefined || holder === did ? null : { host, holder };
    },
    hostOf(did) {
      const host = hosts.get(did);
      return host !== undefined && turns.get(host)?.holder === did ? host : null;
    },
  };
}
