/** `page`: the status page in a browser; for a deployed run, a server on loopback signs the requests, which a browser cannot do. */
import { UsageError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { addSnapshot, emptyHistory, type History } from "@firehose-backfill/status/history";
import type { Args, Command } from "../command.ts";
import type { CliContext } from "../context.ts";
import type { ControlEvent, ControlTarget } from "../control-target.ts";
import { EXIT, exitCodeOfSignal } from "../exit-code.ts";
import { requireTarget, RUN_OPTION, TARGET_OPTIONS } from "../find-target.ts";
import { rememberSnapshot } from "../function-target.ts";
import { loadConfig } from "../load-config.ts";
import { listenForStop } from "../stop-signals.ts";

export const page: Command = {
  name: "page",
  summary: "Print the address of the status page; with --function serve the page of a deployed run here.",
  details:
    "A deployed page answers signed requests only, and a browser cannot sign. So this command serves the page on 127.0.0.1\nuntil Ctrl-C and signs with your AWS credentials. They need lambda:InvokeFunction on the function.",
  options: {
    ...RUN_OPTION,
    port: { takes: "N", help: "Port to serve it on; default PORT, 0: any free port." },
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "page", does: "Prints the address of the page of the process on this machine." },
    { line: "page --function firehose-backfill-production-status", does: "Serves the page of a deployed run." },
  ],
  run: async (context, args) => {
    const port = portOf(context, args);
    const target = await requireTarget(
      context,
      args,
      "there is no page. firehose-backfill status shows the last known status",
    );
    if (args.text("function") === undefined) {
      const wanted = args.text("run");
      // A name that no run has is told here, and not by the page.
      const run = wanted === undefined ? null : (await target.snapshot(wanted)).runId;
      context.stdout.write(`${target.address}${run === null ? "" : `/?run=${encodeURIComponent(run)}`}\n`);
      return EXIT.ok;
    }
    return serve(context, target, port);
  },
};

const LARGEST_PORT = 65_535;

/** @throws UsageError, ConfigError */
function portOf(context: CliContext, args: Args): number {
  const text = args.text("port");
  if (text === undefined) return loadConfig(context).config.settings.port;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= LARGEST_PORT) return port;
  throw new UsageError(
    `page: --port is "${escapeForLog(text, 80)}"; it takes a whole number from 0 to ${LARGEST_PORT}`,
  );
}

/** Resolves with the exit code when it is stopped. */
async function serve(context: CliContext, target: ControlTarget, port: number): Promise<number> {
  using signals = listenForStop(context, () => {});
  const { startHttpServer } = await context.loadPage();
  const ask = rememberSnapshot(target, () => context.clock.now());
  // The history that the run's own ticks have stored, continued with what this process sees.
  let history: History = (await target.history()) ?? emptyHistory("");
  const snapshot = async () => {
    const now = await ask();
    history = addSnapshot(history, now);
    return now;
  };
  // If the function does not exist, the command fails before it prints the page's address.
  await snapshot();
  await using server = await startHttpServer({
    port,
    snapshot,
    history: () => history,
    runs: {
      all: async () => {
        const now = await snapshot();
        return (now.openRuns ?? 1) < 2 ? [now] : target.snapshots();
      },
      past: () => target.past(),
      find: async (run) => {
        const now = await target.snapshot(run);
        return { snapshot: now, history: (await target.history(run)) ?? emptyHistory(now.runId ?? "") };
      },
    },
    control: (event) => send(target, event),
    log: (line) => context.stderr.write(`${line}\n`),
  });
  context.stdout.write(`${server.url}\n`);
  context.stderr.write(`The page of ${target.address}, until Ctrl-C.\n`);
  const { promise: stopped, resolve: stop } = Promise.withResolvers<undefined>();
  signals.stop.addEventListener("abort", () => stop(undefined), { once: true });
  if (!signals.stop.aborted) await stopped;
  return exitCodeOfSignal(signals.received() ?? "SIGTERM");
}

/** @throws UsageError if the event is refused */
async function send(target: ControlTarget, event: unknown): Promise<{ readonly message: string }> {
  if (!isControlEvent(event)) throw new UsageError("a control event is an object with an action");
  const reply = await target.send(event);
  if (reply.ok) return reply;
  throw new UsageError(reply.error);
}

function isControlEvent(event: unknown): event is ControlEvent {
  return typeof event === "object" && event !== null && "action" in event && typeof event.action === "string";
}
