/** `stop`: ends the process of this machine as Ctrl-C does, and waits until it is gone. */
import { findServer } from "@firehose-backfill/embedded/data-dir";
import type { Command } from "../command.ts";
import { CommandError } from "../errors.ts";
import { EXIT } from "../exit-code.ts";
import { loadConfig } from "../load-config.ts";

const LOOK_EVERY_MS = 100;
/** A batch takes seconds; stopping Postgres takes as long again. */
const GIVE_UP_MS = 60_000;

export const stop: Command = {
  name: "stop",
  summary: "Stop the process on this machine; the run continues with the next start.",
  details:
    "The process finishes the current batch, saves and ends, as after Ctrl-C. The run is not changed. To stop a run and not the\nprocess, use pause or cancel.",
  noRun: "it ends the process, and with it all runs, until the next start. For one run: pause --run or cancel --run",
  options: { now: { help: "End the process at once; nothing is lost, and the current batch is applied again later." } },
  examples: [
    { line: "stop", does: "Before the machine restarts." },
    { line: "stop --now", does: "Without finishing the current batch." },
  ],
  async run(context, args) {
    const { dataDir } = loadConfig(context).config.settings;
    const server = await findServer(dataDir);
    if (server === null) throw new CommandError(`no process is running on ${dataDir}`);
    const { pid } = server;
    context.kill(pid, "SIGTERM");
    if (args.flag("now")) context.kill(pid, "SIGTERM");
    const untilMs = context.clock.now() + GIVE_UP_MS;
    while ((await findServer(dataDir))?.pid === pid) {
      if (context.clock.now() >= untilMs)
        throw new CommandError(
          `process ${pid} is still running after ${GIVE_UP_MS / 1000} s. To end it at once: firehose-backfill stop --now`,
        );
      await context.clock.sleep(LOOK_EVERY_MS);
    }
    context.stdout.write(`process ${pid} has stopped; to continue: firehose-backfill run\n`);
    return EXIT.ok;
  },
};
