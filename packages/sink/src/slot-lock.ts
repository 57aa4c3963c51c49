/**
 * Limits how many batches of one pace are applied at the same time, over all processes. A sink takes the lock and gives it
 * back with the batch's own transaction: so it costs no round trip, and a process that dies holds nothing.
 */
export interface SlotLock {
  /** Batches with the same name share the lock: the run whose pace counts. */
  readonly name: string;
  readonly maxConcurrent: number;
  /** Asked once the lock is held: false gives it back with `late`, before any row is sent. */
  readonly isOnTime: () => boolean;
  /** Called while the lock is held and nothing is sent yet; what it throws rolls back. For tests. */
  readonly onHeld?: () => void | Promise<void>;
}
