/** What `cancel`, `tune`, `redrive` and `discard` do if no process uses the data folder: only this action, in this process, without a new run. */
import { parseControlEvent } from "@firehose-backfill/backfill/control-event";
import { ChooseRunError } from "@firehose-backfill/backfill/open-run";
import { UsageError } from "@firehose-backfill/core/errors";
import type { Args } from "./command.ts";
import type { CliContext } from "./context.ts";
import type { ControlEvent } from "./control-target.ts";
import { CommandError } from "./errors.ts";
import { EXIT, exitCodeOfSignal } from "./exit-code.ts";
import { findTarget, lastSnapshot } from "./find-target.ts";
import { loadConfig } from "./load-config.ts";
import { sendControl } from "./send-control.ts";
import { listenForStop } from "./stop-signals.ts";

type Steered = Parameters<Awaited<ReturnType<CliContext["loadSteering"]>>["steerHere"]>[0]["event"];

function isSteeredHere(event: ReturnType<typeof parseControlEvent>): event is Steered {
  const { action } = event;
  return action === "cancel" || action === "tune" || action === "redrive" || action === "discard";
}

/** Sends the event to the running process, or acts here. Resolves with the exit code. @throws CommandError, UsageError, ConfigError */
export async function steer(context: CliContext, args: Args, event: ControlEvent): Promise<number> {
  const target = await findTarget(context, args);
  if (target !== null) return sendControl(context, target, event);
  const parsed = parseControlEvent(event);
  if (!isSteeredHere(parsed)) throw new TypeError(`${parsed.action} needs a running process`);
  const { config, configure } = loadConfig(context);
  const { dataDir } = config.settings;
  if ((await lastSnapshot(context)) === null)
    throw new CommandError(
      `there is nothing to ${parsed.action}: no run has been started on ${dataDir} yet. Begin one with: firehose-backfill run`,
    );
  const log = (line: string) => context.stderr.write(`${line}\n`);
  log("No process is running, so this command does it. It begins no run.");
  using signals = listenForStop(context, () => {});
  const { steerHere } = await context.loadSteering();
  try {
    const { message, run } = await steerHere({ config, configure, event: parsed, log, stop: signals.stop });
    context.stdout.write(`${message}\n`);
    const signal = signals.received();
    if (signal !== null) return exitCodeOfSignal(signal);
    return parsed.action === "redrive" && run !== null && run.totals.dead > 0 ? EXIT.dead : EXIT.ok;
  } catch (error) {
    if (!(error instanceof UsageError) || error instanceof ChooseRunError) throw error;
    context.stderr.write(`firehose-backfill: ${error.message}\n`);
    return EXIT.error;
  }
}
