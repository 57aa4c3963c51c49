/** The stored state of the reader of a relay contradicts itself. The tick fails with this error. */
import type { ClassifiedError } from "@firehose-backfill/core/errors";

export class BrokenStateError extends Error implements ClassifiedError {
  override readonly name = "BrokenStateError";

  isRetryable(): boolean {
    return false;
  }
}
