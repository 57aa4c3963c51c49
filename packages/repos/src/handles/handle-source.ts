/**
 * Handles as an EventSource: an `identity` event for each account of the database whose handle nobody has checked. The list is read in passes, in the
 * order of DIDs. A new pass begins when everything that the last one found is in the database; else the same accounts would be looked up again.
 */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { Clock } from "@firehose-backfill/core/clock";
import { describeError } from "@firehose-backfill/core/errors";
import { type Cursor, cursorAt } from "@firehose-backfill/source/cursor";
import type { Verdict } from "@firehose-backfill/source/verdict";
import type { EventSource, SourceState, Window, WindowLimits } from "@firehose-backfill/source/window";
import { troubleText } from "../http/http-errors.ts";
import type { FoundHandle } from "./look-up-handle.ts";
import { type HandlesState, writeState } from "./state.ts";

export interface HandleSourceOptions {
  readonly clock: Clock;
  readonly state: HandlesState;
  readonly cursor: Cursor | null;
  readonly applied: Cursor | null;
  /** DIDs above that one, in their order. */
  readonly list: (after: string, limit: number) => Promise<readonly string[]>;
  /** Rejects only while the directory cannot be asked, or if the signal ends it. */
  readonly lookUp: (did: string, signal: AbortSignal) => Promise<FoundHandle>;
  /** Whether runs are open that may bring more accounts. */
  readonly hasOthers: () => Promise<boolean>;
  /** While other runs are open no pass over the list begins before. */
  readonly nextPassAtMs: number;
  /** A pass has found nobody, and the next one is not to begin before that moment. */
  readonly onEmptyPass: (againAtMs: number) => void;
  readonly isMemoryTight: () => boolean;
  readonly close: () => void;
}

const PAGE = 500;
/** Without the optional index a pass reads all accounts of the database, also if there is nobody to look up. */
const PASSES_APART_MS = 60_000;
const ALL_SO_FAR = "all accounts so far are looked up; the other runs may bring more";
/** Looked up side by side: a domain that does not answer takes seconds. The directory is asked at its own rate. */
const AT_ONCE = 8;

export function handleSource(options: HandleSourceOptions): EventSource {
  const source = new HandleSource(options);
  return {
    readWindow: (limits, signal) => source.readWindow(limits, signal),
    async [Symbol.asyncDispose]() {
      options.close();
    },
  };
}

class HandleSource {
  readonly #options: HandleSourceOptions;
  #log = new EventLog();
  #state: HandlesState;
  #ordinal: number;
  #hasCursor: boolean;
  /** Of the list, not looked up yet. */
  #page: readonly string[] = [];

  constructor(options: HandleSourceOptions) {
    this.#options = options;
    this.#state = options.state;
    this.#ordinal = options.cursor?.ordinal ?? 0;
    this.#hasCursor = options.cursor !== null;
  }

  async readWindow(limits: WindowLimits, signal: AbortSignal): Promise<Window> {
    this.#log = this.#log.renew();
    const { clock } = this.#options;
    const ending = new AbortController();
    const end = (): void => ending.abort("the window is over");
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    const deadline = clock.sleep(limits.maxMs, ending.signal).then(end);
    let verdict: Verdict | null = null;
    while (verdict === null) verdict = await this.#step(limits, ending.signal, signal);
    signal.removeEventListener("abort", end);
    end();
    await deadline;
    return this.#close(verdict);
  }

  /** null: go on. */
  async #step(limits: WindowLimits, ending: AbortSignal, stop: AbortSignal): Promise<Verdict | null> {
    const room = limits.maxEvents - this.#log.length;
    if (stop.aborted) return { kind: "stopped" };
    if (this.#options.isMemoryTight()) return { kind: "memory" };
    if (room <= 0) return { kind: "more", isFull: true };
    if (ending.aborted) return { kind: "more", isFull: false };
    if (this.#page.length === 0) return await this.#nextPage();
    const dids = this.#page.slice(0, Math.min(AT_ONCE, room));
    const found = await Promise.allSettled(dids.map((did) => this.#lookUp(did, ending)));
    for (const [index, result] of found.entries()) {
      const did = dids[index] ?? "";
      if (result.status === "rejected") {
        const why: unknown = result.reason;
        // Whoever was not finished when the time was over is looked up in the next window.
        return ending.aborted ? null : { kind: "retry", reason: troubleText(why) };
      }
      this.#take(did, result.value);
    }
    return null;
  }

  /** A document is fetched to its end, which is soon; the window does not wait for it. */
  async #lookUp(did: string, ending: AbortSignal): Promise<FoundHandle> {
    const over = Promise.withResolvers<never>();
    const end = (): void => over.reject(new Error("the window is over"));
    ending.addEventListener("abort", end, { once: true });
    if (ending.aborted) end();
    try {
      const found = await Promise.race([this.#options.lookUp(did, ending), over.promise]);
      // What was cut off looks like a domain that does not answer.
      if (ending.aborted && found.check === "unreachable") throw new Error("the window is over");
      return found;
    } finally {
      ending.removeEventListener("abort", end);
    }
  }

  #take(did: string, { handle, check }: FoundHandle): void {
    const timeMs = Math.trunc(this.#options.clock.now());
    this.#log.append({ kind: "identity", seq: 0, timeMs, did, handle, check });
    this.#page = this.#page.slice(1);
    this.#ordinal += 1;
    const { done, failed } = this.#state;
    const isFailed = check === "unreachable";
    this.#state = {
      ...this.#state,
      after: did,
      done: done + (isFailed ? 0 : 1),
      failed: failed + (isFailed ? 1 : 0),
    };
  }

  async #nextPage(): Promise<Verdict | null> {
    const { applied, list, hasOthers, clock, nextPassAtMs, onEmptyPass } = this.#options;
    try {
      if (this.#state.after === "") {
        const left = this.#ordinal - (applied?.ordinal ?? 0);
        if (left > 0)
          return { kind: "wait", reason: `${left} handles that were looked up are on their way to the database` };
        const isLastPass = !(await hasOthers());
        if (!isLastPass && clock.now() < nextPassAtMs) return { kind: "wait", reason: ALL_SO_FAR };
        this.#state = { ...this.#state, isLastPass };
      }
      this.#page = await list(this.#state.after, PAGE);
    } catch (error) {
      return { kind: "retry", reason: describeError(error) };
    }
    if (this.#page.length > 0) return null;
    if (this.#state.isLastPass) return { kind: "end", word: "all handles are looked up" };
    if (this.#state.after === "") onEmptyPass(clock.now() + PASSES_APART_MS);
    this.#state = { ...this.#state, after: "" };
    return { kind: "wait", reason: ALL_SO_FAR };
  }

  #close(verdict: Verdict): Window {
    const units = this.#log.length;
    // A run that has nothing to read still has to end at a cursor.
    const isMoved = units > 0 || (verdict.kind === "end" && !this.#hasCursor);
    this.#hasCursor ||= isMoved;
    const { done, failed } = this.#state;
    const state: SourceState = writeState(this.#state);
    const isComplete = verdict.kind === "end";
    return {
      events: this.#log,
      received: units,
      skipped: {},
      units,
      unknown: 0,
      to: isMoved ? cursorAt(this.#ordinal, null) : null,
      first: units > 0 ? cursorAt(this.#ordinal - units + 1, null) : isMoved ? cursorAt(0, null) : null,
      state,
      keptSinceMs: null,
      startKeptSinceMs: null,
      gaps: [],
      verdict,
      progress: { known: done + failed, done, inWork: 0, deferred: 0, failed, isComplete },
    };
  }
}
