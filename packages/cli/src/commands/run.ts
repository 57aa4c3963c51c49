/** `run`: the whole backfill in this process; what `npm start` runs. */
import type { Command } from "../command.ts";
import { runHere, runOptions } from "../run-here.ts";

export const run: Command = {
  name: "run",
  summary: "Run the backfill in this process: begin a run, or continue the unfinished one.",
  details:
    "Without RELAY_URL it replays the bundled sample. Without DATABASE_URL it starts its own Postgres. To replay the sample\ninto a DATABASE_URL, set RELAY_URL=sample. Ctrl-C finishes the current batch and saves; the next run continues there.",
  noRun: "it goes on with all open runs. For one that is paused or errored: resume --run",
  options: {
    "until-done": { help: "Exit when the run ends, instead of waiting for the next one." },
    json: { help: "Print the status as one line of JSON at each progress line; the last line is the final status." },
    consumers: { takes: "process", help: "One process for each consumer, instead of all in this one." },
  },
  examples: [
    { line: "run", does: "Run until Ctrl-C, with the status page on http://127.0.0.1:8787." },
    { line: "run --until-done --json > run.jsonl", does: "For scripts: the exit code says how it ended." },
    { line: "run --consumers process", does: "Each consumer has a memory limit of its own." },
  ],
  run: (context, args) => runHere(context, runOptions(args)),
};
