/** Where control goes: the process on this machine, or a deployed function. Commands do not know which. */
import type { Plan } from "@firehose-backfill/backfill/plan/types";
import type { History } from "@firehose-backfill/status/history";
import type { Snapshot } from "@firehose-backfill/status/snapshot";

/** The event that packages/backfill/src/control-event.ts reads, as the Lambda console would send it. */
export type ControlEvent = { readonly action: string } & Readonly<Record<string, unknown>>;

export type ControlReply =
  | {
      readonly ok: true;
      readonly message: string;
      /** What a `plan` found. */
      readonly plan?: Plan;
    }
  /** `isMalformed`: the event itself is wrong, whatever the run's state. */
  | { readonly ok: false; readonly error: string; readonly isMalformed: boolean };

export interface ControlTarget {
  /** For messages: `http://127.0.0.1:8787`, `function NAME`. */
  readonly address: string;
  /** @throws CommandError where it cannot be reached */
  send(event: ControlEvent): Promise<ControlReply>;
  /** @throws CommandError where it cannot be reached */
  snapshot(): Promise<Snapshot>;
  /** The course of the run. null: none is kept there. @throws CommandError where it cannot be reached */
  history(): Promise<History | null>;
}
