/** `plan`: estimates what a run would find, how long it would take and what it would cost, before one is started. */
import type { Plan } from "@firehose-backfill/backfill/plan/types";
import { renderPlan } from "@firehose-backfill/status/render-plan";
import type { Args, Command } from "../command.ts";
import type { CliContext } from "../context.ts";
import type { ControlTarget } from "../control-target.ts";
import { CommandError } from "../errors.ts";
import { EXIT, exitCodeOfSignal } from "../exit-code.ts";
import { findTarget, TARGET_OPTIONS } from "../find-target.ts";
import { loadConfig } from "../load-config.ts";
import { SCOPE_OPTIONS, startEvent, startRequest } from "../start-request.ts";
import { withBar } from "../wait-bar.ts";
import { listenForStop } from "../stop-signals.ts";

export const plan: Command = {
  name: "plan",
  summary: "Sample the relay and say how long a run would take, what it would cost and whether it can finish.",
  details:
    "It samples the stream at eight points between start and end, with one connection at a time. It starts and changes\nnothing, and takes half a minute. Options that are not given come from the settings.",
  noRun: "it is about a run that has not begun. For one that is open: status --run",
  options: {
    ...SCOPE_OPTIONS,
    json: { help: "One line of JSON." },
    ...TARGET_OPTIONS,
  },
  examples: [
    {
      line: "plan --days 3 --collections app.bsky.feed.post --profile moderate",
      does: "Can this profile keep up with the stream?",
    },
    { line: "plan --days -1 --json | jq .pace.finishes", does: "For scripts: yes, no or unclear." },
  ],
  run: async (context, args) => {
    const target = await findTarget(context, args);
    const made = await withBar(context, target === null ? planWithout(context, args) : ask(context, args, target));
    if (typeof made === "number") return made;
    const text = args.flag("json") ? JSON.stringify(made) : renderPlan(made).join("\n");
    context.stdout.write(`${text}\n`);
    return EXIT.ok;
  },
};

/** The plan, or the exit code. */
async function ask(context: CliContext, args: Args, target: ControlTarget): Promise<Plan | number> {
  const reply = await target.send(startEvent("plan", startRequest(context, args, "plan")));
  if (!reply.ok) {
    context.stderr.write(`firehose-backfill: ${reply.error}\n`);
    return reply.isMalformed ? EXIT.usage : EXIT.error;
  }
  if (reply.plan === undefined)
    throw new CommandError(`${target.address} cannot make a plan, because it is another version of this program`);
  return reply.plan;
}

/** No process is running, and none is needed. */
async function planWithout(context: CliContext, args: Args): Promise<Plan | number> {
  const request = startRequest(context, args, "plan");
  const { configure } = loadConfig(context);
  const config = configure({
    ...(request.days === undefined ? {} : { BACKFILL_DAYS: request.days }),
    ...(request.profile === undefined ? {} : { BACKFILL_PROFILE: request.profile }),
    ...(request.collections === undefined ? {} : { BACKFILL_COLLECTIONS: request.collections.join(",") }),
    ...(request.dids === undefined ? {} : { BACKFILL_DIDS: request.dids.join(",") }),
  });
  using signals = listenForStop(context, () => {});
  const { planHere } = await context.loadPlanner();
  const { clock } = context;
  try {
    return await planHere({
      config,
      request,
      sampleRelayUrl: null,
      clock,
      random: Math.random,
      signal: signals.stop,
    });
  } catch (error) {
    const signal = signals.received();
    if (signal === null) throw error;
    return exitCodeOfSignal(signal);
  }
}
