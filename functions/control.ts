/**
 * Control: the console's Test button and `firehose-backfill … --function NAME`. It takes the events that
 * packages/backfill/src/control-event.ts reads, and answers `{ ok, message, snapshot }`, or `{ ok: false, message, problems }`. With
 * BACKFILL_AUDIT_SAMPLE a schedule sends `{ "action": "audit" }`, too.
 */
import type { Context } from "aws-lambda";
import { createControl, isAuditEvent } from "./shared/control.ts";
import { createObservability } from "./shared/observability.ts";
import { observedMiddy } from "./shared/observed-middy.ts";
import { once } from "./shared/once.ts";

const observability = once(createObservability);
const control = once(() => createControl(process.env, observability()));

export const handler = observedMiddy(observability).handler((event: unknown, context: Context) =>
  isAuditEvent(event) ? control().audit(context) : control().answer(event),
);
