/** `dead`: shows the events that could not be applied, why, and what happened to them before. */
import { deadEventJson, isHandedOver, printableJson } from "@firehose-backfill/backfill/dead-event-json";
import { isRunId } from "@firehose-backfill/backfill/control-event";
import { UsageError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import type { DeadEvent, DeadHere, ListDeadOptions } from "@firehose-backfill/server/dead-here";
import { formatTime } from "@firehose-backfill/status/format";
import type { Args, Command } from "../command.ts";
import type { CliContext } from "../context.ts";
import { EXIT, exitCodeOfSignal } from "../exit-code.ts";
import { findTarget, lastSnapshot } from "../find-target.ts";
import { loadConfig } from "../load-config.ts";
import { listenForStop } from "../stop-signals.ts";

export const dead: Command = {
  name: "dead",
  summary: "Show the events that could not be applied, why, and what happened to them before.",
  details:
    "It reads the database: DATABASE_URL, or the embedded one of BACKFILL_DATA_DIR, also if no process is running. It changes\nnothing and begins no run. With --json each line has the whole event; a record is JSON where it can be decoded, otherwise\nbase64. Events above 64 KiB are left out of a list; --id shows them. Batches that failed five times are not here: they are\nin the dead-letter queue.",
  options: {
    id: { takes: "ID", help: "Only this one, whole." },
    reason: { takes: "REASON", help: "Only those with this reason." },
    run: { takes: "ID|NAME", help: "Only those of this run; default: of all runs." },
    applied: { help: "Also those that redrive has applied since." },
    limit: { takes: "N", help: "At most N; default 20, with --json all." },
    json: { help: "One JSON object per line." },
  },
  examples: [
    { line: "dead", does: "How many there are for each reason, and the first 20." },
    { line: "dead --reason database-23514 --json | jq .event.record", does: "What your constraint refused." },
  ],
  run: async (context, args) => {
    const limit = limitOf(args);
    const only = idOf(args);
    const filter = { ...(await runIdOf(context, args)), ...reasonOf(args), ...only };
    using signals = listenForStop(context, () => {});
    const { openDeadHere } = await context.loadDeadEvents();
    await using events = await openDeadHere(loadConfig(context).config.settings, signals.stop);
    const isOne = only.id !== undefined;
    const options = { ...filter, withApplied: args.flag("applied") || isOne };
    const shown = await showAll(context, events, { options, limit, json: args.flag("json"), isOne }, signals.stop);
    const signal = signals.received();
    if (signal !== null) return exitCodeOfSignal(signal);
    if (isOne && shown === 0) throw new UsageError(`dead: no dead event has the id ${only.id}`);
    const { reason } = filter;
    if (!args.flag("json") && reason !== undefined && shown === 0)
      context.stderr.write(`No dead event has the reason ${escapeForLog(reason, 80)}.\n`);
    if (!args.flag("json") && !isOne) await showCounts(context, events, filter.runId, shown);
    return EXIT.ok;
  },
};

const DEFAULT_LIMIT = 20;
const AT_ONCE = 50;
const MAX_EVENT_BYTES = 64 * 1024;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

function limitOf(args: Args): number {
  const text = args.text("limit");
  if (text === undefined) return args.flag("json") ? Infinity : DEFAULT_LIMIT;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`dead: --limit is "${escapeForLog(text, 80)}"; it takes a whole number from 1 to 999999999`);
}

function idOf(args: Args): { readonly id?: string } {
  const id = args.text("id")?.toLowerCase();
  if (id === undefined) return {};
  if (UUID.test(id)) return { id };
  throw new UsageError(`dead: --id is "${escapeForLog(id, 80)}"; it takes an id as dead shows it`);
}

function reasonOf(args: Args): { readonly reason?: string } {
  const reason = args.text("reason");
  return reason === undefined ? {} : { reason };
}

/** The database knows ids of runs, and no names. @throws UsageError, CommandError */
async function runIdOf(context: CliContext, args: Args): Promise<{ readonly runId?: string }> {
  const run = args.text("run");
  if (run === undefined || isRunId(run)) return run === undefined ? {} : { runId: run };
  const target = await findTarget(context, args);
  const runId = (target === null ? await lastSnapshot(context, run) : await target.snapshot(run))?.runId ?? null;
  if (runId === null) throw new UsageError(`dead: no run has the id or the name ${escapeForLog(run, 80)}`);
  return { runId };
}

interface Show {
  readonly options: Omit<ListDeadOptions, "limit">;
  readonly limit: number;
  readonly json: boolean;
  readonly isOne: boolean;
}

/** Returns how many were shown. */
async function showAll(context: CliContext, events: DeadHere, show: Show, stop: AbortSignal): Promise<number> {
  let shown = 0;
  let last: DeadEvent | undefined;
  while (shown < show.limit && !stop.aborted) {
    const limit = Math.min(AT_ONCE, show.limit - shown);
    const after = last === undefined ? {} : { after: last };
    const size = show.isOne ? {} : { maxEventBytes: show.json ? MAX_EVENT_BYTES : 0 };
    const page = await events.list({ ...show.options, ...after, ...size, limit });
    for (const event of page) context.stdout.write(textOf(event, show));
    shown += page.length;
    last = page.at(-1);
    if (page.length < limit) break;
  }
  return shown;
}

function textOf(event: DeadEvent, { json, isOne }: Show): string {
  if (json) return `${printableJson(deadEventJson(event))}\n`;
  return isOne ? `${printableJson(deadEventJson(event), 2)}\n` : `${lines(event).join("\n")}\n`;
}

function lines(event: DeadEvent): readonly string[] {
  const about = [event.runId, event.reason, event.seq === 0 ? "no seq" : `seq ${event.seq}`, event.did, event.path];
  const said = about.filter((part) => part !== null).map((part) => escapeForLog(part, 200));
  return [
    `${event.id}  ${said.join("  ")}`,
    `  ${escapeForLog(event.error)}`,
    `  dead since ${formatTime(event.createdAt)}; ${beforeOf(event)}`,
  ];
}

function beforeOf(event: DeadEvent): string {
  const { redrivenAt, appliedAt, appliedBy, eventBytes } = event;
  if (appliedAt !== null && isHandedOver(event)) return `requested to be read anew ${formatTime(appliedAt)}`;
  if (appliedAt !== null) return `applied ${formatTime(appliedAt)} by batch ${escapeForLog(appliedBy ?? "unknown")}`;
  if (eventBytes === null && deadEventJson(event).canBeRedriven) return "a redrive reads the repository anew";
  if (eventBytes === null) return "cannot be redriven, because no complete event was received";
  return redrivenAt === null ? "never redriven" : `redriven ${formatTime(redrivenAt)}, not applied`;
}

/** Of what is still dead. */
async function showCounts(context: CliContext, events: DeadHere, runId: string | undefined, shown: number) {
  const counts = Object.entries(await events.countByReason(runId));
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const say = (line: string) => context.stderr.write(`${line}\n`);
  if (total === 0) return say("No event is dead.");
  say(`${total} dead: ${counts.map(([reason, count]) => `${escapeForLog(reason, 80)} ${count}`).join(", ")}`);
  if (shown > 0) say("One as JSON: firehose-backfill dead --id ID. Then: redrive --id ID, or discard --id ID");
}
