/** `events`: the records that were applied last, all changes since a token, and with --tail also new ones. */
import { UsageError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import type { EventFeed } from "@firehose-backfill/server/event-feed";
import type { Args, Command } from "../command.ts";
import type { CliContext } from "../context.ts";
import { EXIT, exitCodeOfSignal } from "../exit-code.ts";
import { loadConfig } from "../load-config.ts";
import { changeJson, changeLine, recordJson } from "../render-change.ts";
import { listenForStop } from "../stop-signals.ts";

export const events: Command = {
  name: "events",
  summary:
    "Show the records that were applied last, or all changes since a token; with --tail also new ones as they come.",
  details:
    "It reads the database: DATABASE_URL, or the embedded one of a process that is running. Without --since, records are in\nthe order of the stream. With --since it shows every record that changed, deletions included, and every account whose\nstatus or handle changed or whose rows were removed. It misses nothing; some changes may come twice. With --json each page\nends with a line that holds the token to go on from; save it once what came before it is processed. docs/views.md has more.",
  noRun: "the tables hold one row for a record, whichever run wrote it. For the progress of one run: status --run",
  options: {
    since: { takes: "TOKEN", help: "All changes since then; start: everything there is; now: only the token." },
    tail: { help: "Continue until Ctrl-C." },
    lines: { takes: "N", help: "How many records to begin with; default 10. Not with --since." },
    json: { help: "One JSON object per line." },
  },
  examples: [
    { line: "events", does: "The last ten records." },
    { line: "events --tail --lines 0 --json | jq -r .collection", does: "The collection of each new record." },
    { line: "events --since start --tail --json", does: "Everything there is, and all changes from then on." },
  ],
  run: async (context, args) => {
    const since = args.text("since");
    if (since !== undefined && args.text("lines") !== undefined)
      throw new UsageError(
        "events: --lines says how many of the last records to show; with --since all changes are shown",
      );
    const lines = linesOf(args);
    using signals = listenForStop(context, () => {});
    const { config } = loadConfig(context);
    const { openEvents } = await context.loadEvents();
    await using feed = await openEvents(config.settings);
    const show = { json: args.flag("json"), tail: args.flag("tail") };
    if (since === undefined) {
      // Before the last ones are read: what is applied meanwhile comes twice rather than never.
      const token = show.tail ? await feed.now() : null;
      await showLast(context, feed, lines, show);
      if (token !== null) await showChanges(context, feed, { ...show, since: token, tokens: false }, signals.stop);
    } else if (since === "now" && !show.tail) {
      showToken(context, await feed.now(), show);
    } else {
      const from = since === "now" ? await feed.now() : since;
      await showChanges(context, feed, { ...show, since: from, tokens: true }, signals.stop);
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

interface Show {
  readonly json: boolean;
  readonly tail: boolean;
}

async function showLast(context: CliContext, feed: EventFeed, lines: number, { json }: Show): Promise<void> {
  const last = await feed.last(Math.max(1, lines));
  if (last.length === 0) context.stderr.write("Nothing has been applied yet.\n");
  if (lines === 0) return;
  for (const record of last) {
    const line = json ? recordJson(record) : changeLine(context, { kind: "record", ...record });
    context.stdout.write(`${line}\n`);
  }
}

async function showChanges(
  context: CliContext,
  feed: EventFeed,
  { since, json, tail, tokens }: Show & { readonly since: string; readonly tokens: boolean },
  stop: AbortSignal,
): Promise<void> {
  let token = since;
  while (!stop.aborted) {
    const page = await feed.changes(token);
    for (const change of page.entries) {
      context.stdout.write(`${json ? changeJson(change) : changeLine(context, change)}\n`);
    }
    // Where nothing changed an older token is as good, and a line a second would fill a disk.
    if (tokens && json && (page.entries.length > 0 || (page.isEnd && !tail))) showToken(context, page.token, { json });
    token = page.token;
    if (!page.isEnd) continue;
    if (!tail) break;
    await context.clock.sleep(LOOK_EVERY_MS, stop);
  }
  if (tokens && !json) context.stderr.write(`Go on with: events --since '${token}'\n`);
}

function showToken(context: CliContext, token: string, { json }: Pick<Show, "json">): void {
  context.stdout.write(`${json ? JSON.stringify({ kind: "token", token }) : token}\n`);
}
