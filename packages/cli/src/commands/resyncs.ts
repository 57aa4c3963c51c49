/** `resyncs`: lists the repositories that have to be read anew. */
import type { ListedResync } from "@firehose-backfill/backfill/list-resyncs";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { formatCount, formatTime } from "@firehose-backfill/status/format";
import type { Command } from "../command.ts";
import { CommandError } from "../errors.ts";
import { EXIT } from "../exit-code.ts";
import { TARGET_OPTIONS } from "../find-target.ts";
import { ask } from "../steer-here.ts";

export const resyncs: Command = {
  name: "resyncs",
  summary: "List the repositories that have to be read anew, and why.",
  details: [
    "A request is placed when a commit is missing (BACKFILL_VERIFY from chain on), by audit --repair, by redrive and by resync.",
    "The program serves the requests by itself, in a run called resync. States: waiting for that run; reading; held, because that",
    "run was cancelled: resync requests it again. If no process is running, this command reads the list itself.",
  ].join("\n"),
  noRun: "requests belong to the database, which all runs write together",
  options: { json: { help: "One JSON object per line." }, ...TARGET_OPTIONS },
  examples: [
    { line: "resyncs", does: "Repository, reason, since when, and its state." },
    { line: "resyncs --json | jq -r .did", does: "The DIDs." },
  ],
  run: async (context, args) => {
    const { resyncs: listed } = await ask(context, args, { action: "resyncs" });
    if (listed === undefined)
      throw new CommandError(
        "the answer holds no list of requests: perhaps the process or the function is of an older version",
      );
    const { requests, done } = listed;
    for (const request of requests)
      context.stdout.write(`${args.flag("json") ? JSON.stringify(request) : lineOf(request)}\n`);
    if (args.flag("json")) return EXIT.ok;
    const have = requests.length === 1 ? "repository has" : "repositories have";
    context.stderr.write(`${formatCount(requests.length)} ${have} to be read anew; ${formatCount(done)} were read\n`);
    if (requests.some(({ state }) => state === "held"))
      context.stderr.write("held: its run was cancelled. Request it again with: firehose-backfill resync --dids DID\n");
    return EXIT.ok;
  },
};

function lineOf({ did, reason, at, state, run }: ListedResync): string {
  const by = run === null ? state : `${state} (run ${escapeForLog(run)})`;
  return `${escapeForLog(did)}  ${escapeForLog(reason)}  since ${formatTime(at)}  ${by}`;
}
