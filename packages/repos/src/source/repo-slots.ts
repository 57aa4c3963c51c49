/** The repositories that are being walked now: what each of them found next, or that it still waits. */
import type { RepoStep } from "./repo-step.ts";
import type { RepoInWork } from "./state.ts";

export interface RepoSlot {
  readonly did: string;
  /** As far as its ranges were taken. */
  repo: RepoInWork;
  /** null: it waits for its host. */
  step: RepoStep | null;
  isDownloading: boolean;
  /** Since when it has been walked for its next step. */
  sinceMs: number;
  /** It was counted that this step takes long. */
  isOverdue: boolean;
  /** Settles with the next step; never rejects. */
  pending: Promise<void>;
  /** What was thrown instead of a step: a bug. */
  error: unknown;
}

export type OpenWalk = (
  repo: RepoInWork,
  onDownload: (isOnItsWay: boolean) => void,
  signal: AbortSignal,
) => AsyncGenerator<RepoStep, void, undefined>;

interface Held {
  readonly slot: RepoSlot;
  readonly walk: AsyncGenerator<RepoStep, void, undefined>;
  readonly ending: AbortController;
}

export class RepoSlots {
  readonly #open: OpenWalk;
  readonly #now: () => number;
  readonly #slots = new Map<string, Held>();

  constructor(open: OpenWalk, now: () => number) {
    this.#open = open;
    this.#now = now;
  }

  get size(): number {
    return this.#slots.size;
  }

  has(did: string): boolean {
    return this.#slots.has(did);
  }

  begin(repo: RepoInWork): void {
    const ending = new AbortController();
    const slot: RepoSlot = {
      did: repo.did,
      repo,
      step: null,
      isDownloading: false,
      sinceMs: this.#now(),
      isOverdue: false,
      pending: Promise.resolve(),
      error: null,
    };
    const onDownload = (isOnItsWay: boolean): void => {
      slot.isDownloading = isOnItsWay;
    };
    const walk = this.#open(repo, onDownload, ending.signal);
    this.#slots.set(repo.did, { slot, walk, ending });
    this.#pull(slot, walk);
  }

  /** In the order in which they were begun. */
  all(): readonly RepoSlot[] {
    return [...this.#slots.values()].map(({ slot }) => slot);
  }

  /** One that has its next step, in the order in which they were begun. */
  ready(): RepoSlot | null {
    for (const { slot } of this.#slots.values()) if (slot.step !== null || slot.error !== null) return slot;
    return null;
  }

  /** Its step is dealt with: on to the next one. */
  take(slot: RepoSlot): void {
    const held = this.#slots.get(slot.did);
    if (held === undefined) return;
    slot.step = null;
    slot.sinceMs = this.#now();
    slot.isOverdue = false;
    this.#pull(slot, held.walk);
  }

  /** It is not asked any further, and does not wait any longer. Its walk ends, and lets go of what it holds. */
  async stop(did: string): Promise<void> {
    const held = this.#slots.get(did);
    this.#slots.delete(did);
    held?.ending.abort("the repository is not walked any further");
    await held?.walk.return().catch(() => undefined);
  }

  isDownloading(did: string): boolean {
    return this.#slots.get(did)?.slot.isDownloading === true;
  }

  /** Resolves when any of them has a step. */
  anyReady(): Promise<unknown> {
    return Promise.race([...this.#slots.values()].map(({ slot }) => slot.pending));
  }

  /** Ends all walks, and the requests that they wait for. What was not taken is fetched again. */
  async end(): Promise<void> {
    const all = [...this.#slots.values()];
    this.#slots.clear();
    for (const { ending } of all) ending.abort("the walks end");
    await Promise.all(
      all.map(async ({ slot, walk }) => {
        await slot.pending;
        await walk.return().catch(() => undefined);
      }),
    );
  }

  #pull(slot: RepoSlot, walk: AsyncGenerator<RepoStep, void, undefined>): void {
    slot.pending = walk.next().then(
      ({ value }) => {
        slot.step = value ?? { kind: "stopped" };
      },
      (error: unknown) => {
        slot.error = error;
      },
    );
  }
}
