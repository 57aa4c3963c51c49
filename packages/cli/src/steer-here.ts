/** What `cancel`, `tune`, `redrive` and `discard` do if no process uses the data folder: only this action, in this process, without a new run. */
import { parseControlEvent } from "@firehose-backfill/backfill/control-event";
import { ChooseRunError } from "@firehose-backfill/backfill/open-run";
import { UsageError } from "@firehose-backfill/core/errors";
import type { Args } from "./command.ts";
import type { CliContext } from "./context.ts";
import type { ControlEvent, ControlReply } from "./control-target.ts";
import { CommandError } from "./errors.ts";
import { EXIT, exitCodeOfSignal } from "./exit-code.ts";
import { findTarget, lastSnapshot } from "./find-target.ts";
import { loadConfig } from "./load-config.ts";
import { sendControl } from "./send-control.ts";
import { listenForStop } from "./stop-signals.ts";

type Steered = Parameters<Awaited<ReturnType<CliContext["loadSteering"]>>["steerHere"]>[0]["event"];

const STEERED_HERE: readonly Steered["action"][] = ["cancel", "tune", "redrive", "discard", "resync", "resyncs"];

function isSteeredHere(event: ReturnType<typeof parseControlEvent>): event is Steered {
  return STEERED_HERE.some((action) => action === event.action);
}

/** Like steer(), for a command that shows the answer itself. @throws CommandError, UsageError, ConfigError */
export async function ask(
  context: CliContext,
  args: Args,
  event: ControlEvent,
): Promise<Extract<ControlReply, { ok: true }>> {
  const target = await findTarget(context, args);
  if (target === null) return { ok: true, ...(await here(context, event)) };
  const reply = await target.send(event);
  if (reply.ok) return reply;
  throw reply.isMalformed ? new UsageError(reply.error) : new CommandError(reply.error);
}

async function here(context: CliContext, event: ControlEvent) {
  const parsed = parseControlEvent(event);
  if (!isSteeredHere(parsed)) throw new TypeError(`${parsed.action} needs a running process`);
  const { config, configure } = loadConfig(context);
  if ((await lastSnapshot(context)) === null)
    throw new CommandError(
      `no run has been started on ${config.settings.dataDir} yet: name the folder with BACKFILL_DATA_DIR, or a deployed function with --function NAME`,
    );
  const log = (line: string) => context.stderr.write(`${line}\n`);
  using signals = listenForStop(context, () => {});
  const { steerHere } = await context.loadSteering();
  return steerHere({ config, configure, event: parsed, log, stop: signals.stop });
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
