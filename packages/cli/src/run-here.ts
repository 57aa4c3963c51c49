/** Runs the backfill in this process until it ends or is stopped: for `run`, and for `start` if no process is running yet. */
import type { StartRequest } from "@firehose-backfill/backfill/control-event";
import { describeError, UsageError } from "@firehose-backfill/core/errors";
import type { RunResult } from "@firehose-backfill/server/run-server";
import type { Args } from "./command.ts";
import type { CliContext } from "./context.ts";
import { EXIT, exitCodeOfSignal } from "./exit-code.ts";
import { loadConfig } from "./load-config.ts";
import { runView } from "./run-view.ts";
import { createServiceManager } from "./service-manager.ts";
import { listenForStop } from "./stop-signals.ts";

export interface RunHereOptions {
  readonly untilDone: boolean;
  readonly json: boolean;
  readonly consumers: "in-process" | "process";
  readonly start?: StartRequest;
  /** Only continues the unfinished run. */
  readonly resume?: { readonly from: string | null; readonly run?: string };
}

/** `--until-done`, `--json` and `--consumers`, for every command that runs the backfill here. @throws UsageError */
export function runOptions(args: Args): Omit<RunHereOptions, "start" | "resume"> {
  const consumers = args.text("consumers") ?? "in-process";
  if (consumers !== "process" && consumers !== "in-process") {
    throw new UsageError("--consumers takes process or in-process\nSee: firehose-backfill run --help");
  }
  return { untilDone: args.flag("until-done"), json: args.flag("json"), consumers };
}

/** Resolves with the exit code. @throws ConfigError, and the server's errors at its start */
export async function runHere(context: CliContext, options: RunHereOptions): Promise<number> {
  const { config, configure } = loadConfig(context);
  const view = runView(context, options);
  const manager = createServiceManager(context.env, { clock: context.clock, notify: context.notifyServiceManager });
  using signals = listenForStop(context, (signal) => {
    manager.stopping();
    view.log(
      `[BACKFILL] ${signal}: finishing and saving the current batch. A second signal stops at once; nothing is lost.`,
    );
  });
  const { runServer } = await context.loadServer();
  let result: RunResult;
  try {
    result = await runServer({
      config,
      configure,
      untilDone: options.untilDone,
      consumers: options.consumers,
      ...(options.start === undefined ? {} : { start: options.start }),
      ...(options.resume === undefined ? {} : { resume: options.resume }),
      onSnapshot: view.onSnapshot,
      onTick: (snapshot, all) => {
        view.onTick(snapshot, all);
        manager.alive(snapshot);
      },
      log: view.log,
      stop: signals.stop,
    });
  } catch (error) {
    const signal = signals.received();
    if (signal === null) throw error;
    // The stop came during the start, so a failure after it is only a consequence.
    const why = error === signals.stop.reason ? "nothing is lost" : describeError(error);
    view.log(`firehose-backfill: stopped while starting: ${why}`);
    return exitCodeOfSignal(signal);
  }
  if (result.message !== null) view.log(`firehose-backfill: ${result.message}`);
  return exitCodeOf(result.exit, signals.received());
}

function exitCodeOf(exit: RunResult["exit"], signal: ReturnType<ReturnType<typeof listenForStop>["received"]>): number {
  switch (exit) {
    case "done":
    case "cancelled":
      return EXIT.ok;
    case "done-with-dead":
      return EXIT.dead;
    case "errored":
    case "paused":
      return EXIT.error;
    case "stopped":
      return exitCodeOfSignal(signal ?? "SIGTERM");
    default: {
      const unreachable: never = exit;
      return unreachable;
    }
  }
}
