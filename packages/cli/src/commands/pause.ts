/** `pause`: holds the run; what is planned is still applied, unless it is to be held at once. */
import type { Command } from "../command.ts";
import { requireTarget, TARGET_OPTIONS } from "../find-target.ts";
import { sendControl } from "../send-control.ts";

export const pause: Command = {
  name: "pause",
  summary: "Hold the run: nothing more is read, what is planned is still applied.",
  options: {
    now: { help: "Apply nothing more either: what is planned is hidden, and a resume goes on from what is applied." },
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "pause", does: "Pausing, then paused, after two ticks at most." },
    { line: "pause --now", does: "Within one batch." },
  ],
  run: async (context, args) =>
    sendControl(
      context,
      await requireTarget(context, args, "nothing is read or applied, so there is nothing to pause"),
      {
        action: "pause",
        ...(args.flag("now") ? { now: true } : {}),
      },
    ),
};
