/** `redrive`: dead letters and dead events go back into the queue, and are applied at the pace of the run. */
import type { Command } from "../command.ts";
import { TARGET_OPTIONS } from "../find-target.ts";
import { steer } from "../steer-here.ts";

export const redrive: Command = {
  name: "redrive",
  summary: "Try what is dead again, batches and single events, at the pace of the run.",
  details:
    "Without a process it is done here: what comes back of a finished run is applied, and the command ends. It never begins\na run. Exit code 3: something is still dead.",
  options: { ...TARGET_OPTIONS },
  examples: [{ line: "redrive", does: "Once their cause is mended. Counters are corrected as they are applied." }],
  run: (context, args) => steer(context, args, { action: "redrive" }),
};
