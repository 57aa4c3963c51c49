/** The answer to a control event for the command line and the page: what was done, or what is wrong with the event. */
import { ChooseRunError } from "@firehose-backfill/backfill/open-run";
import type { ListedResyncs } from "@firehose-backfill/backfill/list-resyncs";
import type { Plan } from "@firehose-backfill/backfill/plan/types";
import { ConfigError, describeError, UsageError } from "@firehose-backfill/core/errors";

export interface ControlReply {
  readonly status: number;
  readonly body: ({ readonly ok: true } & ControlResult) | { readonly ok: false; readonly error: string };
}

export interface ControlResult {
  readonly message: string;
  /** The result of `plan`. */
  readonly plan?: Plan;
  /** The result of `resyncs`. */
  readonly resyncs?: ListedResyncs;
}

export async function answerControl(
  control: (event: unknown) => Promise<ControlResult>,
  read: () => unknown,
): Promise<ControlReply> {
  let event: unknown;
  try {
    event = read();
  } catch (error) {
    return refuse(400, `the event is not JSON: ${describeError(error)}`);
  }
  try {
    return { status: 200, body: { ok: true, ...(await control(event)) } };
  } catch (error) {
    if (error instanceof ConfigError) return refuse(400, error.problems.join("\n"));
    if (error instanceof ChooseRunError) return refuse(400, error.message);
    if (error instanceof UsageError) return refuse(409, error.message);
    throw error;
  }
}

function refuse(status: number, error: string): ControlReply {
  return { status, body: { ok: false, error } };
}
