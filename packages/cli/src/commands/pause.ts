/** `pause`: pauses the run; batches that are already planned are still applied, unless --now is given. */
import type { Command } from "../command.ts";
import { requireTarget, RUN_OPTION, runOf, TARGET_OPTIONS } from "../find-target.ts";
import { sendControl } from "../send-control.ts";

export const pause: Command = {
  name: "pause",
  summary: "Pause the run: it reads no more, and applies what is already in the queue.",
  options: {
    now: { help: "Apply nothing more either; resume reads again what was in the queue." },
    ...RUN_OPTION,
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "pause", does: "The status is pausing, then paused after two ticks at most." },
    { line: "pause --now", does: "Paused within one batch." },
  ],
  run: async (context, args) =>
    sendControl(
      context,
      await requireTarget(context, args, "nothing is read or applied, so there is nothing to pause"),
      {
        action: "pause",
        ...(args.flag("now") ? { now: true } : {}),
        ...runOf(args),
      },
    ),
};
