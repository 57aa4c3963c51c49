/** `cancel`: ends the run within one batch; it cannot be resumed. */
import type { Command } from "../command.ts";
import { RUN_OPTION, runOf, TARGET_OPTIONS } from "../find-target.ts";
import { steer } from "../steer-here.ts";

export const cancel: Command = {
  name: "cancel",
  summary: "End the run for good. Applied events stay in the database; queued batches are deleted.",
  details: "If no process is running, this command ends the run itself.",
  options: { ...RUN_OPTION, ...TARGET_OPTIONS },
  examples: [{ line: "cancel", does: "Within one batch. A cancelled run cannot be resumed." }],
  run: (context, args) => steer(context, args, { action: "cancel", ...runOf(args) }),
};
