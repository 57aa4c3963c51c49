/** `events`: the records that were applied last, and with --tail also new ones. */
import { UsageError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import type { AppliedRecord } from "@firehose-backfill/server/event-feed";
import { formatTime } from "@firehose-backfill/status/format";
import { terminalLine } from "@firehose-backfill/status/terminal";
import { wantsColor } from "../color.ts";
import type { Args, Command } from "../command.ts";
import type { CliContext } from "../context.ts";
import { EXIT, exitCodeOfSignal } from "../exit-code.ts";
import { loadConfig } from "../load-config.ts";
import { listenForStop } from "../stop-signals.ts";

export const events: Command = {
  name: "events",
  summary: "Show the records that were applied last; with --tail also new ones as they come.",
  details:
    "It reads the database: DATABASE_URL, or the embedded one of a process that is running. Records are in the order of the\nstream. With --tail it does not show a record that is applied after later records of the stream.",
  options: {
    tail: { help: "Continue until Ctrl-C." },
    lines: { takes: "N", help: "How many records to begin with; default 10." },
    json: { help: "One JSON object per line." },
  },
  examples: [
    { line: "events", does: "The last ten records." },
    { line: "events --tail --lines 0 --json | jq -r .collection", does: "The collection of each new record." },
  ],
  run: async (context, args) => {
    const lines = linesOf(args);
    using signals = listenForStop(context, () => {});
    const { config } = loadConfig(context);
    const { openEvents } = await context.loadEvents();
    await using feed = await openEvents(config.settings);
    const show = (record: AppliedRecord) => context.stdout.write(`${render(context, record, args.flag("json"))}\n`);
    let afterSeq: number | null = null;
    for (const record of await feed.last(Math.max(1, lines))) {
      if (lines > 0) show(record);
      afterSeq = record.seq;
    }
    if (afterSeq === null) context.stderr.write("Nothing has been applied yet.\n");
    while (args.flag("tail") && !signals.stop.aborted) {
      const more = await feed.after(afterSeq ?? 0);
      for (const record of more) show(record);
      afterSeq = more.at(-1)?.seq ?? afterSeq;
      if (more.length === 0) await context.clock.sleep(LOOK_EVERY_MS, signals.stop);
    }
    const signal = signals.received();
    return signal === null ? EXIT.ok : exitCodeOfSignal(signal);
  },
};

const LOOK_EVERY_MS = 1_000;
const DEFAULT_LINES = 10;
const MOST_LINES = 10_000;

/** @throws UsageError */
function linesOf(args: Args): number {
  const text = args.text("lines") ?? String(DEFAULT_LINES);
  const lines = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (lines <= MOST_LINES) return lines;
  throw new UsageError(
    `events: --lines is "${escapeForLog(text, 80)}"; it takes a whole number from 0 to ${MOST_LINES}`,
  );
}

function render(context: CliContext, record: AppliedRecord, json: boolean): string {
  if (json) return jsonLine(record);
  const { stdout } = context;
  const width = stdout.isTerminal ? stdout.columns() : Number.POSITIVE_INFINITY;
  const { seq, time, did, collection, rkey, isDeleted } = record;
  return terminalLine(
    [
      { text: `${formatTime(time)} ${seq} `, ink: "dim" },
      `${escapeForLog(collection)} `,
      { text: `at://${escapeForLog(did)}/${escapeForLog(rkey)} `, ink: "blue" },
      isDeleted ? { text: "deleted", ink: "yellow" } : escapeForLog(record.record ?? "", MOST_CHARS),
    ],
    { width, color: wantsColor(context, stdout) },
  );
}

/** With the record's address. The record is the database's text: parsing it here would round its large numbers. */
function jsonLine({ record, did, collection, rkey, ...rest }: AppliedRecord): string {
  const about = JSON.stringify({ uri: `at://${did}/${collection}/${rkey}`, did, collection, rkey, ...rest });
  return `${about.slice(0, -1)},"record":${record ?? "null"}}`;
}

const MOST_CHARS = 200;
