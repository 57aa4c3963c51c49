/** `tick`: the reader looks now, instead of at its next turn. */
import type { Command } from "../command.ts";
import { requireTarget, TARGET_OPTIONS } from "../find-target.ts";
import { sendControl } from "../send-control.ts";

export const tick: Command = {
  name: "tick",
  summary: "Let the reader look now, instead of at its next turn.",
  details:
    "Of a deployed run the reader function itself is called, in place of its schedule: your AWS credentials need\nlambda:InvokeFunction on it. The pace stays what it is.",
  options: { ...TARGET_OPTIONS },
  examples: [
    { line: "tick", does: "After a relay or a database has come back." },
    { line: "tick --function firehose-backfill-production-control", does: "Of a deployed run." },
  ],
  run: async (context, args) =>
    sendControl(context, await requireTarget(context, args, "there is no reader that could look"), { action: "tick" }),
};
