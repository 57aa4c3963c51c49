/** `run`: the whole backfill in this process; what `npm start` runs. */
import type { Command } from "../command.ts";
import { runHere, runOptions } from "../run-here.ts";

export const run: Command = {
  name: "run",
  summary: "Run the backfill here: begin a run, or go on with the unfinished one.",
  details:
    "Without RELAY_URL it replays the bundled sample relay; without DATABASE_URL it brings its own Postgres. With a\nDATABASE_URL the sample has to be asked for: RELAY_URL=sample. Ctrl-C finishes the batch in hand and saves; the next run goes on from there.",
  options: {
    "until-done": { help: "Exit when the run ends, instead of waiting for the next one." },
    json: { help: "Print the status as one line of JSON at each progress line; the last one is final." },
    consumers: { takes: "process", help: "One process a consumer, instead of all in this one." },
  },
  examples: [
    { line: "run", does: "Stay here, with the status page on http://127.0.0.1:8787." },
    { line: "run --until-done --json > run.jsonl", does: "For scripts: the exit code says how it ended." },
    { line: "run --consumers process", does: "Each consumer has a memory limit of its own." },
  ],
  run: (context, args) => runHere(context, runOptions(args)),
};
