/**
 * Which repositories are in work, and which one comes next: one that is in work and not open, else one that has waited for its host, else the next of the
 * list. Holds the state that the run stores.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import type { SourceItems } from "@firehose-backfill/source/items";
import { type GivenUp, tooLong } from "./given-up.ts";
import { defer, MAX_DEFERRED, nextWaiting, type Waiting } from "./deferred.ts";
import { NextListed } from "./next-listed.ts";
import type { RepoList } from "./repo-list.ts";
import { isSilent, NEW_HOST } from "../http/host-state.ts";
import type { HostKeeper } from "./host-keeper.ts";
import type { HostTurns } from "./host-turns.ts";
import { MakeWay } from "./make-way.ts";
import type { RepoSlots } from "./repo-slots.ts";
import { fits, hasRoomFor, MAX_IN_WORK, newRepo, type RepoInWork, type ReposState } from "./state.ts";

export interface RepoAgendaOptions {
  readonly runId: string;
  readonly clock: Clock;
  readonly items: SourceItems;
  readonly hosts: HostKeeper;
  readonly turns: HostTurns;
  readonly state: ReposState;
  readonly list: RepoList;
  /** All repositories are counted before they are read. */
  readonly isCounted: boolean;
  readonly log: (line: string) => void;
  /** It becomes a dead event, and is counted already. null: it is not known which. */
  readonly onGivenUp: (did: string | null, why: GivenUp) => void;
}

/** So long all that are in work are waited for before another one is begun. */
const BEGIN_AFTER_MS = 100;
const OVERDUE_AFTER_MS = 30_000;
const USUAL_DID = "did:plc:zzzzzzzzzzzzzzzzzzzzzzzz";

export class RepoAgenda {
  readonly #options: RepoAgendaOptions;
  readonly #slots: RepoSlots;
  readonly #ending = new AbortController();
  readonly listed: NextListed;
  readonly #makeWay: MakeWay;
  #state: ReposState;
  #beginAtMs = 0;
  /** "unknown": the table has not been asked yet. */
  #waiting: Waiting | null | "unknown" = "unknown";

  constructor(options: RepoAgendaOptions, slots: RepoSlots) {
    this.#options = options;
    this.#slots = slots;
    this.#makeWay = new MakeWay(options.turns);
    this.#state = options.state;
    if (options.state.list === null) options.turns.freeAll();
    const onListed = (): void => {
      this.#beginAtMs = 0;
    };
    this.listed = new NextListed({ ...options, onListed });
  }

  get state(): ReposState {
    return this.#state;
  }

  /** Another repository is not begun before. */
  get beginAtMs(): number {
    return this.#beginAtMs;
  }

  /** false: none can be begun now. */
  async beginAnother(): Promise<boolean> {
    const isBegun = await this.#begin();
    this.#beginAtMs = this.#options.clock.now() + BEGIN_AFTER_MS;
    return isBegun;
  }

  canBeginListed(): boolean {
    return this.#state.list !== null && this.#state.deferred < MAX_DEFERRED;
  }

  async nextWaiting(): Promise<Waiting | null> {
    if (this.#state.deferred === 0) return null;
    if (this.#waiting === "unknown") {
      const { items, runId } = this.#options;
      this.#waiting = await nextWaiting(items, runId, this.#state);
      if (this.#waiting === null) this.#countLost();
    }
    return this.#waiting;
  }

  /** Items live for 90 days. Which repositories they were is not known any more, but they were not read. */
  #countLost(): void {
    const { deferred, failed } = this.#state;
    this.#state = { ...this.#state, deferred: 0, failed: failed + deferred };
    this.#options.onGivenUp(null, {
      reason: "wait-lost",
      error: `${deferred} repositories that waited for their hosts are gone from the table, so they are not read: was the run paused for more than 90 days? Read them with start --new`,
    });
  }

  /** It goes on from here. */
  replace(repo: RepoInWork): void {
    const inWork = this.#state.inWork.map((each) => (each.did === repo.did ? repo : each));
    this.#state = { ...this.#state, inWork };
  }

  leave(did: string, how: "done" | "failed"): void {
    void this.#slots.stop(did);
    const inWork = this.#state.inWork.filter((repo) => repo.did !== did);
    this.#state = { ...this.#state, inWork, [how]: this.#state[how] + 1 };
    // Its place is free.
    this.#beginAtMs = 0;
  }

  async putOff(repo: RepoInWork, dueMs: number): Promise<void> {
    const { items, runId } = this.#options;
    void this.#slots.stop(repo.did);
    this.#state = await defer(items, runId, this.#state, { repo, dueMs });
    this.#waiting = "unknown";
    this.#beginAtMs = 0;
  }

  /** Those that wait at a slow host, while others could be begun in their place. false: there are none. */
  async makeWay(): Promise<boolean> {
    const { inWork, list, deferred } = this.#state;
    const isFull = inWork.length >= MAX_IN_WORK || !hasRoomFor(this.#state, newRepo(USUAL_DID));
    const hasOthers = list !== null || deferred > 0;
    if (!isFull || !hasOthers || deferred + inWork.length > MAX_DEFERRED) return false;
    const heldUp = this.#makeWay.heldUp(this.#slots.all(), this.#options.clock.now());
    for (const { slot, dueMs } of heldUp) await this.putOff(slot.repo, dueMs);
    return heldUp.length > 0;
  }

  /** Resolves when hosts of which it is not known whether they are there have answered, or have had their time for it. */
  async awaitSilentHosts(): Promise<void> {
    const { turns, hosts } = this.#options;
    const waiting = this.#slots.all().filter(({ did, step }) => {
      const host = step === null ? turns.hostOf(did) : null;
      return host !== null && isSilent(hosts.states.get(host) ?? NEW_HOST);
    });
    await Promise.all(waiting.map(({ pending }) => pending));
  }

  /** It has had most of a tick, and said nothing. */
  countOverdue(): void {
    const nowMs = this.#options.clock.now();
    for (const slot of this.#slots.all()) {
      // The time in which it waited for its turn is not its host's fault.
      const turnMs = this.#options.turns.sinceMs(slot.did);
      if (slot.step !== null || slot.isOverdue || turnMs === null) continue;
      if (nowMs - Math.max(slot.sinceMs, turnMs) < OVERDUE_AFTER_MS) continue;
      slot.isOverdue = true;
      slot.repo = { ...slot.repo, attempts: slot.repo.attempts + 1 };
      this.replace(slot.repo);
    }
  }

  /** Keys may be long: those that were begun last wait until there is room. */
  async makeFit(): Promise<void> {
    const nowMs = this.#options.clock.now();
    while (!fits(this.#state)) {
      const last = this.#state.inWork.at(-1);
      if (last === undefined) return;
      await this.putOff(last, nowMs);
    }
  }

  end(): void {
    this.#ending.abort();
  }

  async #begin(): Promise<boolean> {
    const resting = this.#state.inWork.find(({ did }) => !this.#slots.has(did));
    if (resting !== undefined) {
      this.#slots.begin(resting);
      return true;
    }
    const waiting = await this.nextWaiting();
    if (waiting !== null && waiting.dueMs <= this.#options.clock.now()) {
      const hasRoom = hasRoomFor(this.#state, waiting.repo);
      if (hasRoom || (this.#state.inWork.length === 0 && !this.canBeginListed())) {
        this.#waiting = "unknown";
        this.#state = { ...this.#state, takenUp: waiting.name, deferred: this.#state.deferred - 1 };
        this.#addIf(hasRoom, waiting.repo);
        return true;
      }
    }
    return this.#beginListed();
  }

  #beginListed(): boolean {
    const { list, isCounted } = this.#options;
    if (!this.canBeginListed()) return false;
    if (this.listed.found === null) {
      this.listed.ask(this.#ending.signal);
      return false;
    }
    const { did } = this.listed.found;
    const hasRoom = did === null || hasRoomFor(this.#state, newRepo(did));
    // There will be room when others are done.
    if (!hasRoom && this.#state.inWork.length > 0) return false;
    this.listed.take();
    this.#state = { ...this.#state, list: list.place() };
    if (this.#state.list === null) this.#options.turns.freeAll();
    if (did === null || this.#state.inWork.some((repo) => repo.did === did)) return true;
    if (!isCounted) this.#state = { ...this.#state, known: this.#state.known + 1 };
    this.#addIf(hasRoom, newRepo(did));
    return true;
  }

  /** Strangers choose DIDs and keys. What has no room even alone would be waited for without end. */
  #addIf(hasRoom: boolean, repo: RepoInWork): void {
    if (hasRoom) this.#add(repo);
    else {
      this.#state = { ...this.#state, failed: this.#state.failed + 1 };
      this.#options.onGivenUp(repo.did, tooLong(repo));
    }
  }

  #add(repo: RepoInWork): void {
    const others = this.#state.inWork.filter(({ did }) => did !== repo.did);
    this.#state = { ...this.#state, inWork: [...others, repo] };
    this.#slots.begin(repo);
  }
}
