/** `cancel`: ends the run for good, within one batch. */
import type { Command } from "../command.ts";
import { requireTarget, TARGET_OPTIONS } from "../find-target.ts";
import { sendControl } from "../send-control.ts";

export const cancel: Command = {
  name: "cancel",
  summary: "End the run for good; what is applied stays, what is queued is thrown away.",
  options: { ...TARGET_OPTIONS },
  examples: [{ line: "cancel", does: "Within one batch. A cancelled run cannot be resumed." }],
  run: async (context, args) => sendControl(context, await requireTarget(context, args), { action: "cancel" }),
};
