/**
 * One repository of a host is walked at a time: requests to one host go out one after the other anyway, so a second walk would only make both of them last longer. At
 * a slow host, neither would come to a range before the tick ends. And slow hosts together do not get all places: those of other hosts would wait for them.
 */

export interface HeldUp {
  /** A host, or that there are too many slow ones. */
  readonly what: string;
  /** The repository that has the turn, or one of those that have it. */
  readonly holder: string;
  /** How many have it at the same time. */
  readonly holders: number;
}

export interface HostTurns {
  /**
   * Resolves when it is this repository's turn, or when the signal is aborted. Whoever calls it must call giveBack(). `isSlow`: asked when
   * the host is free.
   */
  take(host: string, did: string, isSlow: () => boolean, signal: AbortSignal): Promise<void>;
  giveBack(did: string): void;
  /** null: it does not wait. */
  heldUpBy(did: string): HeldUp | null;
  /** The host whose turn it has; null: it has none. */
  hostOf(did: string): string | null;
  /** Since when it has its turn; null: it has none. */
  sinceMs(did: string): number | null;
  /** The list of repositories is at its end: slow hosts may have all places. */
  freeAll(): void;
}

/** Of the 16 repositories in work. The others are for hosts that answer soon: each of them is done within seconds. */
const MOST_SLOW_HOSTS = 12;
/** What is waited for where there are too many slow hosts. It is no host's name. */
const SLOW_HOSTS = "slow hosts";

interface Turn {
  /** The first one has it, the others wait. */
  readonly dids: string[];
}

export function hostTurns(now: () => number): HostTurns {
  const turns = new Map<string, Turn>();
  /** Where each repository has the turn, or waits for it. */
  const hosts = new Map<string, string>();
  /** Repositories that have their turn and may be walked. */
  const walked = new Map<string, { readonly isSlow: boolean; readonly sinceMs: number }>();
  /** Those that wait for anything: resolved when they may be walked. */
  const waiting = new Map<string, { readonly isSlow: () => boolean; readonly begin: () => void }>();

  let mostSlow = MOST_SLOW_HOSTS;

  const slowHolders = (): readonly string[] => [...walked].flatMap(([did, { isSlow }]) => (isSlow ? [did] : []));

  /** Lets those begin that wait for nothing any more. */
  const goOn = (): void => {
    for (const [did, { isSlow, begin }] of waiting) {
      if (turns.get(hosts.get(did) ?? "")?.dids[0] !== did) continue;
      const isOfSlow = isSlow();
      if (isOfSlow && slowHolders().length >= mostSlow) continue;
      waiting.delete(did);
      walked.set(did, { isSlow: isOfSlow, sinceMs: now() });
      begin();
    }
  };
  const giveBack = (did: string): void => {
    const host = hosts.get(did);
    if (host === undefined) return;
    hosts.delete(did);
    walked.delete(did);
    waiting.delete(did);
    const turn = turns.get(host);
    const at = turn?.dids.indexOf(did) ?? -1;
    if (at !== -1) turn?.dids.splice(at, 1);
    if (turn?.dids.length === 0) turns.delete(host);
    goOn();
  };

  return {
    giveBack,
    freeAll() {
      mostSlow = Number.POSITIVE_INFINITY;
      goOn();
    },
    async take(host, did, isSlow, signal) {
      if (hosts.get(did) === host) return;
      giveBack(did);
      if (signal.aborted) return;
      hosts.set(did, host);
      const turn = turns.get(host) ?? { dids: [] };
      turns.set(host, turn);
      turn.dids.push(did);
      await new Promise<void>((resolve) => {
        const leave = (): void => {
          giveBack(did);
          resolve();
        };
        signal.addEventListener("abort", leave, { once: true });
        const begin = (): void => {
          signal.removeEventListener("abort", leave);
          resolve();
        };
        waiting.set(did, { isSlow, begin });
        goOn();
      });
    },
    heldUpBy(did) {
      const host = hosts.get(did);
      const holder = host === undefined ? undefined : turns.get(host)?.dids[0];
      if (host === undefined || holder === undefined) return null;
      if (holder !== did) return { what: host, holder, holders: 1 };
      const [slow] = waiting.has(did) ? slowHolders() : [];
      return slow === undefined ? null : { what: SLOW_HOSTS, holder: slow, holders: mostSlow };
    },
    sinceMs: (did) => walked.get(did)?.sinceMs ?? null,
    hostOf(did) {
      return walked.has(did) ? (hosts.get(did) ?? null) : null;
    },
  };
}
