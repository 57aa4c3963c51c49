/** The repositories that are being walked now: what each of them found next, or that it still waits. */
import type { RepoStep } from "./repo-walk.ts";
import type { RepoInWork } from "./state.ts";

export interface RepoSlot {
  readonly did: string;
  /** As far as its ranges were taken. */
  repo: RepoInWork;
  /** null: it waits for its host. */
  step: RepoStep | null;
  isDownloading: boolean;
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

export class RepoSlots {
  readonly #open: OpenWalk;
  readonly #slots = new Map<
    string,
    { readonly slot: RepoSlot; readonly walk: AsyncGenerator<RepoStep, void, undefined> }
  >();
  #ending = new AbortController();

  constructor(open: OpenWalk) {
    this.#open = open;
  }

  get size(): number {
    return this.#slots.size;
  }

  has(did: string): boolean {
    return this.#slots.has(did);
  }

  begin(repo: RepoInWork): void {
    const { signal } = this.#ending;
    const slot: RepoSlot = {
      did: repo.did,
      repo,
      step: null,
      isDownloading: false,
      pending: Promise.resolve(),
      error: null,
    };
    const onDownload = (isOnItsWay: boolean): void => {
      slot.isDownloading = isOnItsWay;
    };
    const walk = this.#open(repo, onDownload, signal);
    this.#slots.set(repo.did, { slot, walk });
    this.#pull(slot, walk);
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
    this.#pull(slot, held.walk);
  }

  /** It is not asked any further. Its walk ends, and lets go of what it holds. */
  async stop(did: string): Promise<void> {
    const held = this.#slots.get(did);
    this.#slots.delete(did);
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
    this.#ending.abort();
    this.#ending = new AbortController();
    const all = [...this.#slots.values()];
    this.#slots.clear();
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
