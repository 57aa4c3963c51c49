/** What a tick sees of the queue: once for all runs, and the dead letters only where there are any. */
import type { IncomingMessage, QueueFigures } from "@firehose-backfill/queue/types";
import type { ReaderDeps } from "./deps.ts";

const DEAD_LETTERS_A_LOOK = 100;

export interface QueueLook {
  readonly figures: QueueFigures;
  readonly letters: readonly IncomingMessage[];
}

/** Looks when it is first asked. */
export function lookOnce(deps: Pick<ReaderDeps, "queue">): () => Promise<QueueLook> {
  let look: Promise<QueueLook> | null = null;
  return () => (look ??= lookAt(deps));
}

async function lookAt({ queue }: Pick<ReaderDeps, "queue">): Promise<QueueLook> {
  const figures = await queue.figures();
  const letters = figures.deadLetters > 0 ? await queue.peekDeadLetters({ max: DEAD_LETTERS_A_LOOK }) : [];
  return { figures, letters };
}
