/** What a run over handles remembers between ticks: how far it is in the list of accounts. Which accounts are left, the database knows. */
import type { SourceState } from "@firehose-backfill/source/window";

export interface HandlesState {
  /** The last DID that was looked up; empty: the list is at its beginning. */
  readonly after: string;
  /** No other run was open when this pass over the list began, so no account comes after it. */
  readonly isLastPass: boolean;
  readonly done: number;
  /** Domains or documents that gave no answer. */
  readonly failed: number;
}

export const NEW_STATE: HandlesState = { after: "", isLastPass: false, done: 0, failed: 0 };
const VERSION = 1;

export function writeState({ after, isLastPass, done, failed }: HandlesState): SourceState {
  return JSON.stringify([VERSION, after, isLastPass ? 1 : 0, done, failed]);
}

/** @throws TypeError for a text that writeState() has not made */
export function readState(text: SourceState): HandlesState {
  const [version, after, isLastPass, done, failed]: unknown[] = JSON.parse(text);
  if (version !== VERSION || typeof after !== "string" || typeof done !== "number" || typeof failed !== "number")
    throw new TypeError(`not a state of handles: ${text.slice(0, 100)}`);
  return { after, isLastPass: isLastPass === 1, done, failed };
}
