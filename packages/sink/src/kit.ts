/**
 * All that a deployment asks of one sink. A composition root opens it once; opening connects to nothing. To add a sink is to
 * write a package with one function that returns this, and to name that function in each composition root.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import type { CopyReader } from "./copy-reader.ts";
import type { HandleList } from "./handle-list.ts";
import type { DeadEvents } from "./dead-events.ts";
import type { ConsumerSink } from "./sink.ts";
import type { Tidying } from "./tidying.ts";

export interface SinkKit {
  /** @throws ConfigError when the address cannot be used */
  checkAddress(): void;
  openSink(options: OpenSinkOptions): ConsumerSink;
  openDeadEvents(): DeadEvents;
  openCopy(options: Pick<OpenSinkOptions, "clock" | "throttleQuery">): CopyReader;
  /** Connects to nothing yet. */
  openHandleList(): HandleList;
  readonly tidying: Tidying;
  /** Connects and looks. @throws SinkError, ConfigError: one line that an operator can act on, no password */
  verify(): Promise<{ readonly version: string; readonly shown: string }>;
  /** `id` null: nothing of ours is in it. Changes nothing. @throws SinkError, ConfigError */
  identity(): Promise<{ readonly id: string | null; readonly name: string }>;
  /** A look for the doctor; changes nothing. @throws SinkError, ConfigError */
  examine(): Promise<SinkFindings>;
  /** Brings what the sink needs up to date. `from` 0: it was made. @throws SinkError, ConfigError */
  migrate(): Promise<{ readonly from: number; readonly to: number }>;
  /** Whether the throttle query can work. It is not run. @throws ConfigError, SinkError */
  checkThrottleQuery(query: string): Promise<void>;
  /** Asks once. null: the answer is one, whatever it says. */
  whyNoAnswer(query: string): Promise<string | null>;
}

export interface OpenSinkOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** null: production's health is not asked for. */
  readonly throttleQuery: string | null;
  /** Connections at most. A function: it may move while the sink is open. */
  readonly poolSize: number | (() => number);
  readonly log?: ((line: string) => void) | undefined;
  /** The longest that one statement of a batch may take. */
  readonly statementMs?: number;
  /** The first batch brings the sink up to date, and an address that cannot be used is that batch's error. */
  readonly preparesItself?: boolean;
}

export interface SinkFindings {
  /** The server's, in the middle of the question. */
  readonly nowMs: number;
  /** 0: there is none yet. null: it cannot be read. */
  readonly schemaVersion: number | null;
  readonly neededVersion: number;
  /** null: it is the one this program writes. */
  readonly mismatch: string | null;
  /** Nothing can be applied. */
  readonly isReadOnly: boolean;
  /** Connections that are free at this moment. */
  readonly freeConnections: number;
  /** What keeps a run from working there, beside that it is read only. null: nothing does. */
  readonly problem: { readonly finding: string; readonly advice: string } | null;
}
