/**
 * Limits how many batches of one pace are applied at the same time, over all processes. A sink takes and releases the lock
 * in the batch's own transaction, so it costs no round trip, and a process that dies holds no lock.
 */
export interface SlotLock {
  /** Batches with the same name share the lock: the run whose pace counts. */
  readonly name: string;
  readonly maxConcurrent: number;
  /** Called when the lock is held: false releases it with `late`, before any row is sent. */
  readonly isOnTime: () => boolean;
  /** Called while the lock is held and nothing is sent yet; an error that it throws rolls back. For tests. */
  readonly onHeld?: () => void | Promise<void>;
}
