/**
 * Who makes way while all places are taken: repositories that wait for their turn at a slow host would otherwise hold up those of all other hosts. They are put
 * off, each to a time at which the host may be done with those before it.
 */
import type { HostTurns } from "./host-turns.ts";
import type { RepoSlot } from "./repo-slots.ts";

export interface PutOff {
  readonly slot: RepoSlot;
  readonly dueMs: number;
}

/** A host is slow for us while its repository has waited so long for the next range. */
const SLOW_AFTER_MS = 5_000;
/** A repository takes two requests at least. */
const REQUESTS_EACH = 2;

export class MakeWay {
  readonly #turns: HostTurns;
  /** When the last one that was put off is due, by what it waited for. */
  readonly #lastDueMs = new Map<string, number>();

  constructor(turns: HostTurns) {
    this.#turns = turns;
  }

  heldUp(slots: readonly RepoSlot[], nowMs: number): readonly PutOff[] {
    const sinceMs = new Map(slots.map((slot) => [slot.did, slot.sinceMs]));
    return slots.flatMap((slot) => {
      const held = slot.step === null ? this.#turns.heldUpBy(slot.did) : null;
      if (held === null) return [];
      const waitedMs = nowMs - (sinceMs.get(held.holder) ?? nowMs);
      if (waitedMs < SLOW_AFTER_MS) return [];
      const dueMs = Math.max(nowMs, this.#lastDueMs.get(held.what) ?? 0) + (REQUESTS_EACH * waitedMs) / held.holders;
      this.#lastDueMs.set(held.what, dueMs);
      return [{ slot, dueMs }];
    });
  }
}
