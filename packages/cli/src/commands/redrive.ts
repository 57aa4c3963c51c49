/** `redrive`: dead letters and dead events go back into the queue, and are applied at the pace of the run. */
import type { Command } from "../command.ts";
import { requireTarget, TARGET_OPTIONS } from "../find-target.ts";
import { sendControl } from "../send-control.ts";

export const redrive: Command = {
  name: "redrive",
  summary: "Try what is dead again, batches and single events, at the pace of the run.",
  options: { ...TARGET_OPTIONS },
  examples: [{ line: "redrive", does: "Once their cause is mended. Counters are corrected as they are applied." }],
  run: async (context, args) => sendControl(context, await requireTarget(context, args), { action: "redrive" }),
};
