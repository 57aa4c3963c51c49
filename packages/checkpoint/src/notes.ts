/** Notes about a run for people: gaps, errors, reports of consumers. Their number is limited, and no decision depends on them. */
import type { Cursor } from "@firehose-backfill/source/cursor";

export interface Gap {
  readonly from: Cursor;
  readonly to: Cursor;
  readonly host: string;
  readonly reason: string;
  readonly atMs: number;
}

export interface RunError {
  readonly atMs: number;
  /** `reader`, `consumer`, `control`, ... */
  readonly source: string;
  readonly message: string;
  /**
   * The kind of problem (`waiting: database`), if the same problem may occur again with another value in its message. A run keeps
   * one entry of each kind, the latest. The number of kinds is small and fixed.
   */
  readonly kind?: string;
  /** When this kind first occurred in the run; the store keeps it. */
  readonly firstAtMs?: number;
  /** How often this kind has occurred, this time included; the store counts. */
  readonly times?: number;
}

/** By which way an operator did something. `start of the program`: `npm start`, or a service manager. */
export type Actor = "command" | "page" | "control event" | "start of the program";

/** Something that somebody did to a run. */
export interface RunAction {
  readonly atMs: number;
  /** `start`, `pause`, `resume`, `cancel`, `redrive`, `discard` */
  readonly what: string;
  readonly by: Actor;
  /** One sentence; empty: `what` says it all. */
  readonly detail: string;
}

/** The last report of a consumer process; on AWS this is the only way to see it. */
export interface ConsumerReport {
  readonly id: string;
  readonly atMs: number;
  readonly rssMb: number;
  readonly limitMb: number;
  readonly active: number;
  readonly poolUsed: number;
  readonly poolSize: number;
}
