/** `tick`: calls the reader now, instead of at its next turn. */
import type { Command } from "../command.ts";
import { requireTarget, TARGET_OPTIONS } from "../find-target.ts";
import { sendControl } from "../send-control.ts";

export const tick: Command = {
  name: "tick",
  summary: "Call the reader now, instead of at its next tick.",
  details:
    "For a deployed run it calls the reader function, as the schedule does: your AWS credentials need lambda:InvokeFunction\non it. The pace does not change.",
  noRun: "a tick serves all open runs. To stop one of them: pause --run",
  options: { ...TARGET_OPTIONS },
  examples: [
    { line: "tick", does: "After a relay or a database is available again." },
    { line: "tick --function firehose-backfill-production-control", does: "The reader of a deployed run." },
  ],
  run: async (context, args) =>
    sendControl(context, await requireTarget(context, args, "no reader is running, so there is none to call"), {
      action: "tick",
    }),
};
