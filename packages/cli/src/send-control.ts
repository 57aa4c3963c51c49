/** Sends a control event and says what came of it: the answer is data, a refusal is not. */
import type { CliContext } from "./context.ts";
import type { ControlEvent, ControlTarget } from "./control-target.ts";
import { EXIT } from "./exit-code.ts";

/** Resolves with the exit code: 0, 1 where the run's state refuses it, 2 where the event itself is wrong. */
export async function sendControl(context: CliContext, target: ControlTarget, event: ControlEvent): Promise<number> {
  const reply = await target.send(event);
  if (reply.ok) {
    context.stdout.write(`${reply.message}\n`);
    return EXIT.ok;
  }
  context.stderr.write(`firehose-backfill: ${reply.error}\n`);
  return reply.isMalformed ? EXIT.usage : EXIT.error;
}
