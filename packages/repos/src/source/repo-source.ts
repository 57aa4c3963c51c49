/**
 * Repositories as an EventSource. It walks some side by side, and begins another one only while all of them wait for their hosts: what is fetched and not taken
 * is fetched again. It lives for a tick; what the next one needs is in the state, and in items beside it.
 */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { Clock } from "@firehose-backfill/core/clock";
import { describeError } from "@firehose-backfill/core/errors";
import { type Cursor, cursorAt } from "@firehose-backfill/source/cursor";
import type { SourceItems } from "@firehose-backfill/source/items";
import type { Verdict } from "@firehose-backfill/source/verdict";
import type { EventSource, SourceProgress, SourceState, Window, WindowLimits } from "@firehose-backfill/source/window";
import { HostWaitingError } from "../http/polite-client.ts";
import { defer, MAX_DEFERRED, nextWaiting, type Waiting } from "./deferred.ts";
import type { HostKeeper } from "./host-keeper.ts";
import { putMark } from "./marks.ts";
import type { RepoList } from "./repo-list.ts";
import { type RepoSlot, RepoSlots } from "./repo-slots.ts";
import type { RepoStep } from "./repo-walk.ts";
import { fits, hasRoomFor, newRepo, type RepoInWork, type ReposState, writeState } from "./state.ts";
import { WindowOfRepos } from "./window-of-repos.ts";

export interface RepoSourceOptions {
  readonly runId: string;
  readonly clock: Clock;
  readonly items: SourceItems;
  readonly hosts: HostKeeper;
  readonly state: ReposState;
  readonly cursor: Cursor | null;
  readonly list: RepoList;
  /** All repositories are counted before they are read. */
  readonly isCounted: boolean;
  readonly open: (
    repo: RepoInWork,
    limits: WindowLimits,
    onDownload: (isOnItsWay: boolean) => void,
    signal: AbortSignal,
  ) => AsyncGenerator<RepoStep, void, undefined>;
  readonly isMemoryTight: () => boolean;
  readonly memoryCheckInterval: number;
  /** Why nothing was listed; null: nothing was wrong. */
  readonly listProblem: () => string | null;
  readonly onState: (text: SourceState) => void;
  readonly log: (line: string) => void;
  readonly close: () => void;
}

/** So long all that are in work are waited for before another one is begun. */
const BEGIN_AFTER_MS = 100;
/** Shorter waits are waited out within the window; for longer ones the tick ends. */
const SHORT_WAIT_MS = 3_000;
const LIST_AGAIN_MS = 30_000;
/** What a request that cannot be stopped may take at the end of a tick. */
const PATIENCE_MS = 1_000;

export function repoSource(options: RepoSourceOptions): EventSource {
  const source = new RepoSource(options);
  return {
    readWindow: (limits, signal) => source.readWindow(limits, signal),
    [Symbol.asyncDispose]: () => source.end(),
  };
}

class RepoSource {
  readonly #options: RepoSourceOptions;
  readonly #slots: RepoSlots;
  readonly #ending = new AbortController();
  #log = new EventLog();
  #limits: WindowLimits | null = null;
  #state: ReposState;
  #ordinal: number;
  #hasCursor: boolean;
  #beginAtMs = 0;
  #uncheckedEvents = 0;
  /** The next one of the list, or that it is being asked for. */
  #listed: { readonly did: string | null } | null = null;
  #listing: Promise<void> | null = null;
  #listTrouble: { readonly untilMs: number; readonly why: string } | null = null;
  #directoryTrouble: string | null = null;
  /** "unknown": the table has not been asked yet. */
  #waiting: Waiting | null | "unknown" = "unknown";

  constructor(options: RepoSourceOptions) {
    this.#options = options;
    this.#state = options.state;
    this.#ordinal = options.cursor?.ordinal ?? 0;
    this.#hasCursor = options.cursor !== null;
    this.#slots = new RepoSlots((repo, onDownload, signal) => {
      if (this.#limits === null) throw new Error("a repository is opened outside a window");
      return options.open(repo, this.#limits, onDownload, signal);
    });
  }

  async readWindow(limits: WindowLimits, signal: AbortSignal): Promise<Window> {
    // Ranges that are cut for another batch size do not fit.
    if (this.#limits !== null && this.#limits.maxRange !== limits.maxRange) await this.#slots.end();
    this.#limits = limits;
    this.#log = this.#log.renew();
    const window = new WindowOfRepos(this.#log, limits);
    const deadlineMs = this.#options.clock.now() + limits.maxMs;
    for (;;) {
      const verdict = await this.#step(window, deadlineMs, signal);
      if (verdict !== null) return this.#close(window, verdict);
    }
  }

  async end(): Promise<void> {
    this.#ending.abort();
    const { clock, hosts } = this.#options;
    const patience = new AbortController();
    await Promise.race([this.#slots.end(), clock.sleep(PATIENCE_MS, patience.signal)]);
    patience.abort("all walks have ended");
    this.#options.close();
    await hosts.save("all");
  }

  /** null: go on. */
  async #step(window: WindowOfRepos, deadlineMs: number, signal: AbortSignal): Promise<Verdict | null> {
    const { clock } = this.#options;
    if (signal.aborted) return { kind: "stopped" };
    if (this.#isMemoryTight()) return { kind: "memory" };
    if (window.isFull) return { kind: "more", isFull: true };
    const slot = this.#slots.ready();
    if (slot !== null) return (await this.#take(slot, window)) ? null : { kind: "more", isFull: true };
    const nowMs = clock.now();
    if (nowMs >= deadlineMs) return { kind: "more", isFull: false };
    if (this.#slots.size === 0 || nowMs >= this.#beginAtMs) {
      const isBegun = await this.#beginAnother();
      this.#beginAtMs = clock.now() + BEGIN_AFTER_MS;
      if (isBegun) return null;
    }
    if (this.#slots.size > 0 || this.#listing !== null) {
      await this.#waitUntil(Math.min(deadlineMs, this.#beginAtMs), signal);
      return null;
    }
    // The list has answered meanwhile.
    if (this.#listed !== null && this.#canBeginListed()) return null;
    return this.#nothingInWork(deadlineMs, signal);
  }

  /** false: it does not fit into this window. */
  async #take(slot: RepoSlot, window: WindowOfRepos): Promise<boolean> {
    if (slot.error !== null) throw slot.error;
    const { step, did } = slot;
    const nowMs = this.#options.clock.now();
    switch (step?.kind) {
      case undefined:
        return true;
      case "range": {
        const { range } = step;
        if (!window.hasRoomFor(range)) return false;
        window.addRange(range);
        this.#ordinal += 1;
        this.#uncheckedEvents += Math.max(1, range.records.length);
        if (range.isLast) this.#leave(did, "done");
        else {
          slot.repo = { ...slot.repo, after: range.to, attempts: 0 };
          this.#replace(slot.repo);
          this.#slots.take(slot);
        }
        return true;
      }
      case "finished":
        this.#leave(did, "done");
        return true;
      case "inactive":
        window.addInactive(did, step.state, nowMs);
        this.#ordinal += 1;
        this.#leave(did, "done");
        return true;
      case "gave-up":
        window.addDead(did, step, nowMs);
        this.#ordinal += 1;
        this.#options.log(`[BACKFILL] Repository ${did} cannot be read: ${step.error}`);
        this.#leave(did, "failed");
        return true;
      case "later": {
        const attempts = slot.repo.attempts + (step.isFailure ? 1 : 0);
        void this.#slots.stop(did);
        await this.#putOff({ ...slot.repo, attempts }, step.dueMs);
        return true;
      }
      case "directory":
        this.#directoryTrouble = step.error;
        void this.#slots.stop(did);
        return true;
      case "stopped":
        void this.#slots.stop(did);
        return true;
      default: {
        const unreachable: never = step;
        return unreachable;
      }
    }
  }

  /** One that is in work already, else one that has waited, else the next of the list. false: none can be begun now. */
  async #beginAnother(): Promise<boolean> {
    if (this.#directoryTrouble !== null) return false;
    const resting = this.#state.inWork.find(({ did }) => !this.#slots.has(did));
    if (resting !== undefined) {
      this.#slots.begin(resting);
      return true;
    }
    const waiting = await this.#nextWaiting();
    if (waiting !== null && waiting.dueMs <= this.#options.clock.now() && hasRoomFor(this.#state, waiting.repo)) {
      this.#waiting = "unknown";
      this.#state = { ...this.#state, takenUp: waiting.name, deferred: this.#state.deferred - 1 };
      this.#add(waiting.repo);
      return true;
    }
    return this.#beginListed();
  }

  #canBeginListed(): boolean {
    return this.#directoryTrouble === null && this.#state.list !== null && this.#state.deferred < MAX_DEFERRED;
  }

  #beginListed(): boolean {
    const { list, isCounted } = this.#options;
    if (!this.#canBeginListed()) return false;
    if (this.#listed === null) {
      this.#askForList();
      if (this.#listed === null) return false;
    }
    const { did } = this.#listed;
    if (did !== null && !hasRoomFor(this.#state, newRepo(did))) return false;
    this.#listed = null;
    this.#state = { ...this.#state, list: list.place() };
    if (did === null || this.#state.inWork.some((repo) => repo.did === did)) return true;
    if (!isCounted) this.#state = { ...this.#state, known: this.#state.known + 1 };
    this.#add(newRepo(did));
    return true;
  }

  /** Asks in the background: repositories in work go on meanwhile. */
  #askForList(): void {
    const { list, clock, log } = this.#options;
    if (this.#listing !== null || (this.#listTrouble?.untilMs ?? 0) > clock.now()) return;
    this.#listing = list.next(this.#ending.signal).then(
      (did) => {
        this.#listed = { did };
        this.#listing = null;
        this.#listTrouble = null;
        this.#beginAtMs = 0;
      },
      (error: unknown) => {
        this.#listing = null;
        if (this.#ending.signal.aborted) return;
        const untilMs = error instanceof HostWaitingError ? error.untilMs : clock.now() + LIST_AGAIN_MS;
        this.#listTrouble = { untilMs, why: describeError(error) };
        log(`[BACKFILL] The list of repositories: ${this.#listTrouble.why}`);
      },
    );
  }

  async #nextWaiting(): Promise<Waiting | null> {
    if (this.#state.deferred === 0) return null;
    if (this.#waiting === "unknown") {
      const { items, runId } = this.#options;
      this.#waiting = await nextWaiting(items, runId, this.#state);
      // Somebody has removed it: what is not there does not wait.
      if (this.#waiting === null) this.#state = { ...this.#state, deferred: 0 };
    }
    return this.#waiting;
  }

  async #nothingInWork(deadlineMs: number, signal: AbortSignal): Promise<Verdict | null> {
    const { clock, isCounted, listProblem } = this.#options;
    if (this.#directoryTrouble !== null) return { kind: "retry", reason: this.#directoryTrouble };
    const { list, inWork, deferred, known } = this.#state;
    if (list === null && inWork.length === 0 && deferred === 0) {
      const problem = listProblem();
      if (known === 0 && !isCounted && problem !== null) return { kind: "fail", reason: problem };
      return { kind: "end", word: "all repositories are read" };
    }
    const waiting = await this.#nextWaiting();
    if (waiting === null && this.#listTrouble === null) return null;
    const dueMs = Math.min(
      waiting?.dueMs ?? Number.POSITIVE_INFINITY,
      this.#listTrouble?.untilMs ?? Number.POSITIVE_INFINITY,
    );
    if (dueMs <= deadlineMs && dueMs - clock.now() <= SHORT_WAIT_MS) {
      await this.#waitUntil(dueMs, signal);
      return null;
    }
    if (waiting === null) return { kind: "retry", reason: this.#listTrouble?.why ?? null };
    return { kind: "wait", reason: `${deferred} repositories wait for their hosts` };
  }

  async #waitUntil(untilMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const waiting = new AbortController();
    const ended = AbortSignal.any([signal, waiting.signal]);
    const sleep = clock.sleep(Math.max(1, untilMs - clock.now()), ended);
    const others = this.#slots.size > 0 ? [this.#slots.anyReady()] : [];
    await Promise.race([sleep, ...others, ...(this.#listing === null ? [] : [this.#listing])]);
    waiting.abort("something else came first");
  }

  async #close(window: WindowOfRepos, verdict: Verdict): Promise<Window> {
    const { items, runId, hosts, onState } = this.#options;
    await this.#makeFit();
    const inWork = this.#state.inWork.map((repo) =>
      this.#slots.isDownloading(repo.did) ? { ...repo, isWalkOnly: true } : repo,
    );
    const state = { ...this.#state, inWork };
    // A run that has nothing to read still has to end at a cursor.
    const isMoved = window.units > 0 || (verdict.kind === "end" && !this.#hasCursor);
    await hosts.save(verdict.kind === "more" ? "waits" : "all");
    if (isMoved) await putMark(items, runId, this.#ordinal, state);
    this.#hasCursor ||= isMoved;
    const text = writeState(state);
    onState(text);
    return {
      events: window.log,
      received: window.received,
      skipped: {},
      units: window.units,
      unknown: 0,
      to: isMoved ? cursorAt(this.#ordinal, null) : null,
      first: window.units > 0 ? cursorAt(this.#ordinal - window.units + 1, null) : isMoved ? cursorAt(0, null) : null,
      state: text,
      keptSinceMs: null,
      startKeptSinceMs: null,
      gaps: [],
      verdict,
      progress: progressOf(state, this.#options.isCounted),
    };
  }

  /** Keys may be long: those that were begun last wait until there is room. */
  async #makeFit(): Promise<void> {
    const nowMs = this.#options.clock.now();
    while (!fits(this.#state)) {
      const last = this.#state.inWork.at(-1);
      if (last === undefined) return;
      void this.#slots.stop(last.did);
      await this.#putOff(last, nowMs);
    }
  }

  async #putOff(repo: RepoInWork, dueMs: number): Promise<void> {
    const { items, runId } = this.#options;
    this.#state = await defer(items, runId, this.#state, { repo, dueMs });
    this.#waiting = "unknown";
    this.#beginAtMs = 0;
  }

  #add(repo: RepoInWork): void {
    const others = this.#state.inWork.filter(({ did }) => did !== repo.did);
    this.#state = { ...this.#state, inWork: [...others, repo] };
    this.#slots.begin(repo);
  }

  #replace(repo: RepoInWork): void {
    const inWork = this.#state.inWork.map((each) => (each.did === repo.did ? repo : each));
    this.#state = { ...this.#state, inWork };
  }

  #leave(did: string, how: "done" | "failed"): void {
    void this.#slots.stop(did);
    const inWork = this.#state.inWork.filter((repo) => repo.did !== did);
    this.#state = { ...this.#state, inWork, [how]: this.#state[how] + 1 };
    // Its place is free.
    this.#beginAtMs = 0;
  }

  #isMemoryTight(): boolean {
    if (this.#uncheckedEvents < this.#options.memoryCheckInterval) return false;
    this.#uncheckedEvents = 0;
    return this.#options.isMemoryTight();
  }
}

export function progressOf(state: ReposState, isCounted: boolean): SourceProgress {
  const { known, done, deferred, failed, inWork, list } = state;
  return { known, done, inWork: inWork.length, deferred, failed, isComplete: isCounted || list === null };
}
