/**
 * Repositories as an EventSource. It walks some side by side, and begins another one only while all of them wait for their hosts: what is fetched and not taken
 * is fetched again. It lives for a tick; what the next one needs is in the state, and in items beside it.
 */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { type Cursor, cursorAt } from "@firehose-backfill/source/cursor";
import type { Verdict } from "@firehose-backfill/source/verdict";
import type { EventSource, SourceState, Window, WindowLimits } from "@firehose-backfill/source/window";
import type { GivenUp } from "./given-up.ts";
import { RangeLogger } from "./log-range.ts";
import { putMark } from "./marks.ts";
import { RepoAgenda, type RepoAgendaOptions } from "./repo-agenda.ts";
import { type RepoSlot, RepoSlots } from "./repo-slots.ts";
import type { RepoStep } from "./repo-step.ts";
import { progressOf, type RepoInWork, writeState } from "./state.ts";
import { type Room, WindowOfRepos } from "./window-of-repos.ts";
import { within } from "./within.ts";

export interface RepoSourceOptions extends Omit<RepoAgendaOptions, "onGivenUp"> {
  readonly cursor: Cursor | null;
  readonly open: (
    repo: RepoInWork,
    room: Room,
    onDownload: (isOnItsWay: boolean) => void,
    signal: AbortSignal,
  ) => AsyncGenerator<RepoStep, void, undefined>;
  readonly isMemoryTight: () => boolean;
  readonly memoryCheckInterval: number;
  /** Why nothing was listed; null: nothing was wrong. */
  readonly listProblem: () => string | null;
  /** The end of the tick, and what ends it before. */
  readonly untilMs: number;
  readonly signal: AbortSignal;
  readonly onState: (text: SourceState) => void;
  readonly close: () => void;
}

/** Shorter waits are waited out within the window; for longer ones the tick ends. */
const SHORT_WAIT_MS = 3_000;
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
  readonly #agenda: RepoAgenda;
  readonly #ranges = new RangeLogger();
  #log = new EventLog();
  #limits: WindowLimits | null = null;
  #ordinal: number;
  #hasCursor: boolean;
  #uncheckedEvents = 0;
  #roomLeft = 0;
  #directoryTrouble: string | null = null;
  /** Told by the agenda, and not in a window yet. */
  readonly #givenUp: (readonly [did: string | null, why: GivenUp])[] = [];

  constructor(options: RepoSourceOptions) {
    this.#options = options;
    this.#ordinal = options.cursor?.ordinal ?? 0;
    this.#hasCursor = options.cursor !== null;
    this.#slots = new RepoSlots(
      (repo, onDownload, signal) => {
        if (this.#limits === null) throw new Error("a repository is opened outside a window");
        return options.open(repo, { limits: this.#limits, roomLeft: () => this.#roomLeft }, onDownload, signal);
      },
      () => options.clock.now(),
    );
    this.#agenda = new RepoAgenda({ ...options, onGivenUp: (did, why) => this.#givenUp.push([did, why]) }, this.#slots);
  }

  async readWindow(limits: WindowLimits, signal: AbortSignal): Promise<Window> {
    // Ranges that are cut for another batch size do not fit.
    if (this.#limits !== null && this.#limits.maxRange !== limits.maxRange) await this.#slots.end();
    this.#limits = limits;
    this.#log = this.#log.renew();
    const window = new WindowOfRepos(this.#log, limits, this.#ranges);
    this.#roomLeft = window.roomLeft;
    const deadlineMs = this.#options.clock.now() + limits.maxMs;
    for (;;) {
      const verdict = await this.#step(window, deadlineMs, signal);
      if (verdict !== null) return this.#close(window, verdict);
    }
  }

  async end(): Promise<void> {
    const { hosts, clock, untilMs, signal } = this.#options;
    this.#agenda.end();
    // The read-ahead is often full within seconds: a dead host would be asked in each tick, and never be known as dead.
    await within(clock, untilMs - clock.now(), this.#agenda.awaitSilentHosts(), signal);
    await within(clock, PATIENCE_MS, this.#slots.end());
    this.#options.close();
    await hosts.save("all");
  }

  /** null: go on. */
  async #step(window: WindowOfRepos, deadlineMs: number, signal: AbortSignal): Promise<Verdict | null> {
    const { clock } = this.#options;
    this.#noteGivenUp(window);
    if (signal.aborted) return { kind: "stopped" };
    if (this.#isMemoryTight()) return { kind: "memory" };
    if (window.isFull) return { kind: "more", isFull: true };
    const slot = this.#slots.ready();
    if (slot !== null) return (await this.#take(slot, window)) ? null : { kind: "more", isFull: true };
    const nowMs = clock.now();
    if (nowMs >= deadlineMs) return { kind: "more", isFull: false };
    const mayBegin = this.#directoryTrouble === null;
    if (mayBegin && (this.#slots.size === 0 || nowMs >= this.#agenda.beginAtMs)) {
      if (await this.#agenda.beginAnother()) return null;
    }
    if (mayBegin && (await this.#agenda.makeWay())) return null;
    if (this.#slots.size > 0 || this.#agenda.listed.asking !== null) {
      await this.#waitUntil(mayBegin ? Math.min(deadlineMs, this.#agenda.beginAtMs) : deadlineMs, signal);
      return null;
    }
    // The list has answered meanwhile.
    if (mayBegin && this.#agenda.listed.found !== null && this.#agenda.canBeginListed()) return null;
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
        const { range, isWalkOnly, estimated } = step;
        if (!window.hasRoomFor(range)) return false;
        window.addRange(range);
        this.#roomLeft = window.roomLeft;
        this.#ordinal += 1;
        this.#uncheckedEvents += Math.max(1, range.records.length);
        if (range.isLast) this.#agenda.leave(did, "done");
        else {
          const records = slot.repo.records + range.records.length;
          slot.repo = { ...slot.repo, after: range.to, attempts: 0, isWalkOnly, records, estimated };
          this.#agenda.replace(slot.repo);
          this.#slots.take(slot);
        }
        return true;
      }
      case "finished":
        this.#agenda.leave(did, "done");
        return true;
      case "inactive":
        window.addInactive(did, step.state, nowMs);
        this.#ordinal += 1;
        this.#agenda.leave(did, "done");
        return true;
      case "gave-up":
        this.#giveUp(window, did, step);
        this.#agenda.leave(did, "failed");
        return true;
      case "later": {
        const attempts = slot.repo.attempts + (step.isFailure ? 1 : 0);
        await this.#agenda.putOff({ ...slot.repo, attempts }, step.dueMs);
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

  #noteGivenUp(window: WindowOfRepos): void {
    for (const [did, why] of this.#givenUp.splice(0)) this.#giveUp(window, did, why);
  }

  #giveUp(window: WindowOfRepos, did: string | null, why: GivenUp): void {
    window.addDead(did, why, this.#options.clock.now());
    this.#ordinal += 1;
    this.#options.log(
      did === null ? `[BACKFILL] ${why.error}` : `[BACKFILL] Repository ${did} cannot be read: ${why.error}`,
    );
  }

  async #nothingInWork(deadlineMs: number, signal: AbortSignal): Promise<Verdict | null> {
    const { clock, isCounted, listProblem } = this.#options;
    if (this.#directoryTrouble !== null) return { kind: "retry", reason: this.#directoryTrouble };
    const { list, inWork, deferred, known } = this.#agenda.state;
    if (list === null && inWork.length === 0 && deferred === 0) {
      const problem = listProblem();
      if (known === 0 && !isCounted && problem !== null) return { kind: "fail", reason: problem };
      return { kind: "end", word: "all repositories are read" };
    }
    const waiting = await this.#agenda.nextWaiting();
    const { trouble } = this.#agenda.listed;
    if (waiting === null && trouble === null) return null;
    const dueMs = Math.min(waiting?.dueMs ?? Number.POSITIVE_INFINITY, trouble?.untilMs ?? Number.POSITIVE_INFINITY);
    if (dueMs <= deadlineMs && dueMs - clock.now() <= SHORT_WAIT_MS) {
      await this.#waitUntil(dueMs, signal);
      return null;
    }
    if (waiting === null) return { kind: "retry", reason: trouble?.why ?? null };
    return { kind: "wait", reason: `${deferred} repositories wait for their hosts` };
  }

  async #waitUntil(untilMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    // Not AbortSignal.any: what it links to a signal that lives on stays in memory until the next full collection, and there are many waits.
    const waiting = new AbortController();
    const end = (): void => waiting.abort("something else came first");
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    const sleep = clock.sleep(Math.max(1, untilMs - clock.now()), waiting.signal);
    const others = this.#slots.size > 0 ? [this.#slots.anyReady()] : [];
    const { asking } = this.#agenda.listed;
    await Promise.race([sleep, ...others, ...(asking === null ? [] : [asking])]);
    signal.removeEventListener("abort", end);
    end();
  }

  async #close(window: WindowOfRepos, verdict: Verdict): Promise<Window> {
    const { items, runId, hosts, onState } = this.#options;
    this.#noteGivenUp(window);
    this.#agenda.countOverdue();
    await this.#agenda.makeFit();
    const inWork = this.#agenda.state.inWork.map((repo) =>
      this.#slots.isDownloading(repo.did) ? { ...repo, isWalkOnly: true } : repo,
    );
    const state = { ...this.#agenda.state, inWork };
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

  #isMemoryTight(): boolean {
    if (this.#uncheckedEvents < this.#options.memoryCheckInterval) return false;
    this.#uncheckedEvents = 0;
    return this.#options.isMemoryTight();
  }
}
