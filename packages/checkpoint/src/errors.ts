/** The errors of the store. Each error says whether the same call may succeed later. */
import type { ClassifiedError } from "@firehose-backfill/core/errors";
import type { RunInProgress } from "./run.ts";

/** A run with the same source, scope and range is still open, so another one cannot begin. */
export class RunInProgressError extends Error implements ClassifiedError, RunInProgress {
  override readonly name = "RunInProgressError";
  readonly runId: string;

  constructor(runId: string) {
    super(`run ${runId} is not finished`);
    this.runId = runId;
  }

  isRetryable(): boolean {
    return false;
  }
}

/** The largest allowed number of runs is open. */
export class TooManyRunsError extends Error implements ClassifiedError {
  override readonly name = "TooManyRunsError";

  constructor(open: number) {
    super(`${open} runs are open, and no more can be: wait until one is finished, or cancel one`);
  }

  isRetryable(): boolean {
    return false;
  }
}

/** Another open run has this name. */
export class NameTakenError extends Error implements ClassifiedError {
  override readonly name = "NameTakenError";

  constructor(name: string, runId: string) {
    super(`run ${runId} is open and has the name ${name}: choose another name`);
  }

  isRetryable(): boolean {
    return false;
  }
}

/** There is no such pace, and the caller cannot continue without one. */
export class PaceNotFoundError extends Error implements ClassifiedError {
  override readonly name = "PaceNotFoundError";

  constructor(paceId: string) {
    super(`there is no pace ${paceId}`);
  }

  isRetryable(): boolean {
    return false;
  }
}

/** The stored data is contradictory, or a write would make it so. The run fails. */
export class BrokenStateError extends Error implements ClassifiedError {
  override readonly name = "BrokenStateError";

  isRetryable(): boolean {
    return false;
  }
}

/** Other writers changed the same item at each of many attempts. Nothing was written. */
export class ContentionError extends Error implements ClassifiedError {
  override readonly name = "ContentionError";

  isRetryable(): boolean {
    return true;
  }
}

/** DynamoDB refused a call or did not answer, also after the SDK's own retries. `cause` is the SDK's error. */
export class TableError extends Error implements ClassifiedError {
  override readonly name = "TableError";
  readonly #isRetryable: boolean;

  constructor(action: string, options: { readonly isRetryable: boolean; readonly cause: unknown }) {
    super(`DynamoDB: ${action} failed`, { cause: options.cause });
    this.#isRetryable = options.isRetryable;
  }

  isRetryable(): boolean {
    return this.#isRetryable;
  }
}

/** A newer version of the program wrote the item. This version must not use or change it. */
export class NewerItemError extends Error implements ClassifiedError {
  override readonly name = "NewerItemError";

  constructor(item: string, version: number) {
    super(`${item} is of version ${version}, newer than this program reads: deploy the newer program`);
  }

  isRetryable(): boolean {
    return true;
  }
}
