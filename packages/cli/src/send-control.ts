/** Sends a control event and prints the result: an answer goes to stdout, a refusal to stderr. */
import type { CliContext } from "./context.ts";
import type { ControlEvent, ControlTarget } from "./control-target.ts";
import { EXIT } from "./exit-code.ts";

/** Resolves with the exit code: 0; 1 if the run's state does not allow it; 2 if the event itself is wrong. */
export async function sendControl(context: CliContext, target: ControlTarget, event: ControlEvent): Promise<number> {
  const reply = await target.send(event);
  if (reply.ok) {
    context.stdout.write(`${reply.message}\n`);
    return EXIT.ok;
  }
  context.stderr.write(`firehose-backfill: ${reply.error}\n`);
  return reply.isMalformed ? EXIT.usage : EXIT.error;
}
