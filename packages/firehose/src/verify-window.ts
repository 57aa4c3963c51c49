/**
 * Verifies the signatures of a whole window before it is handed on (`verify: signature`). Keys have to be looked up, and the
 * handler of the socket cannot wait for that. The events of a commit that fails become dead entries. If keys cannot be looked up,
 * the window fails.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "@firehose-backfill/core/clock";
import { describeError, isRetryable } from "@firehose-backfill/core/errors";
import { aboutEvent, deadEntry } from "@firehose-backfill/core/dead-entry";
import { verifySignature } from "@firehose-backfill/core/signature";
import type { ResolveKey } from "@firehose-backfill/core/did-resolver";
import type { PendingSignature, WindowBuilder } from "./window-builder.ts";

/** So many keys are looked up at the same time. */
const CONCURRENCY = 8;
/** A verification takes a third of a millisecond. After so many of them, other work gets its turn. */
const YIELD_EVERY = 16;
const RETRY_DELAYS_MS = [500, 1_000, 2_000];

export interface VerifyOptions {
  readonly resolveKey: ResolveKey;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

type Verdict = "good" | "bad-signature" | "no-key";

const ERRORS: Readonly<Record<Exclude<Verdict, "good">, string>> = {
  "bad-signature": "the commit is not signed with the account's key",
  "no-key": "the account has no signing key that can be found",
};

/** null: the window is verified. Otherwise why that was not possible; then its events must not be used. */
export async function verifyWindow(window: WindowBuilder, options: VerifyOptions): Promise<string | null> {
  const pending = window.pendingSignatures;
  let next = 0;
  let failure: string | null = null;
  const work = async (): Promise<void> => {
    while (next < pending.length && failure === null) {
      const index = next++;
      if (index % YIELD_EVERY === 0) await nextTurn();
      const item = pending[index];
      if (item === undefined || options.signal.aborted) failure = "stopped before the signatures were verified";
      else {
        const verdict = await judge(item, options).catch((error: unknown) => {
          if (!isRetryable(error)) throw error;
          failure = `keys cannot be looked up: ${describeError(error)}`;
          return "good" as const;
        });
        if (verdict !== "good") setAside(window, item, verdict);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, pending.length) }, work));
  return failure;
}

async function judge({ signed }: PendingSignature, options: VerifyOptions): Promise<Verdict> {
  const key = await resolve(signed.did, false, options);
  if (key !== null && verifySignature(key, signed.unsigned, signed.signature)) return "good";
  // The account may have rotated its key since it was looked up.
  const fresh = await resolve(signed.did, true, options);
  if (fresh === null) return "no-key";
  return verifySignature(fresh, signed.unsigned, signed.signature) ? "good" : "bad-signature";
}

async function resolve(did: string, forceRefresh: boolean, options: VerifyOptions) {
  const { resolveKey, clock, random, signal } = options;
  for (const delayMs of RETRY_DELAYS_MS) {
    try {
      return await resolveKey(did, { forceRefresh });
    } catch (error) {
      if (!isRetryable(error) || signal.aborted) throw error;
      await clock.sleep(delayMs * (0.5 + random()), signal);
    }
  }
  return await resolveKey(did, { forceRefresh });
}

function setAside(window: WindowBuilder, item: PendingSignature, reason: Exclude<Verdict, "good">): void {
  for (let index = item.firstEvent; index < item.endEvent; index++) {
    const event = window.events.at(index);
    if (event.kind === "dead") continue;
    // What was not signed says nothing of the repository's history, and its operations are dead entries already.
    if (event.kind === "link") {
      window.leaveOut(index);
      continue;
    }
    window.replace(index, deadEntry({ ...aboutEvent(event), reason, error: ERRORS[reason] }));
  }
}
