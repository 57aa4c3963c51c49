/** What is noted beside a run for people: gaps, errors, what consumers say of themselves. Bounded, and decides nothing. */
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
   * What kind of trouble it is (`waiting: database`), where the same may come again and again with another value in its
   * message. A run keeps one entry of a kind, the latest. One of a fixed, small number.
   */
  readonly kind?: string;
  /** When this kind came first in the run; the store keeps it. */
  readonly firstAtMs?: number;
  /** How often a kind has come, this time included; the store counts. */
  readonly times?: number;
}

/** What a consumer process last said of itself; on AWS the only way to see it. */
export interface ConsumerReport {
  readonly id: string;
  readonly atMs: number;
  readonly rssMb: number;
  readonly limitMb: number;
  readonly active: number;
  readonly poolUsed: number;
  readonly poolSize: number;
}
