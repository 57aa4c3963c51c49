/** `cancel`: ends the run for good, within one batch. */
import type { Command } from "../command.ts";
import { TARGET_OPTIONS } from "../find-target.ts";
import { steer } from "../steer-here.ts";

export const cancel: Command = {
  name: "cancel",
  summary: "End the run for good; what is applied stays, what is queued is thrown away.",
  details: "Without a process the run is ended here.",
  options: { ...TARGET_OPTIONS },
  examples: [{ line: "cancel", does: "Within one batch. A cancelled run cannot be resumed." }],
  run: (context, args) => steer(context, args, { action: "cancel" }),
};
