/** `resume`: a paused or errored run goes on, from where it was or from a place that the operator chooses. */
import type { Command } from "../command.ts";
import { requireTarget, TARGET_OPTIONS } from "../find-target.ts";
import { sendControl } from "../send-control.ts";

export const resume: Command = {
  name: "resume",
  summary: "Go on with a paused or errored run.",
  options: {
    from: { takes: "SEQ|TIME|oldest|live", help: "Go on from there, instead of from where it was." },
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "resume", does: "From where it was." },
    { line: "resume --from oldest", does: "After the relay's sequence began anew: from what it keeps now." },
  ],
  run: async (context, args) => {
    const from = args.text("from");
    const event = { action: "resume", ...(from === undefined ? {} : { from }) };
    return sendControl(context, await requireTarget(context, args), event);
  },
};
