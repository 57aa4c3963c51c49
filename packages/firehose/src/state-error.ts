/** The stored state of a relay's reader contradicts itself: the tick fails, and says so. */
import type { ClassifiedError } from "@firehose-backfill/core/errors";

export class BrokenStateError extends Error implements ClassifiedError {
  override readonly name = "BrokenStateError";

  isRetryable(): boolean {
    return false;
  }
}
