/** One line for each change, for a person or as JSON. Everything that came from the network is escaped. Pure but for the width. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import type { AppliedRecord, Change } from "@firehose-backfill/server/event-feed";
import { formatTime } from "@firehose-backfill/status/format";
import { terminalLine } from "@firehose-backfill/status/terminal";
import { wantsColor } from "./color.ts";
import type { CliContext } from "./context.ts";

const MOST_CHARS = 200;

export function changeLine(context: CliContext, change: Change): string {
  const { stdout } = context;
  const width = stdout.isTerminal ? stdout.columns() : Number.POSITIVE_INFINITY;
  return terminalLine(partsOf(change), { width, color: wantsColor(context, stdout) });
}

function partsOf(change: Change): Parameters<typeof terminalLine>[0] {
  if (change.kind === "purge") {
    return [`account ${escapeForLog(change.did)} `, { text: "deleted: all its rows are removed", ink: "yellow" }];
  }
  if (change.kind === "account") {
    const { did, active, status, handle } = change;
    const state = active === false ? `inactive (${escapeForLog(status ?? "no reason given")})` : "active";
    return [`account ${escapeForLog(did)} ${handle === null ? "" : `${escapeForLog(handle)} `}${state}`];
  }
  const { seq, time, did, collection, rkey, isDeleted, record } = change;
  return [
    { text: `${formatTime(time)} ${seq ?? "-"} `, ink: "dim" },
    `${escapeForLog(collection)} `,
    { text: `at://${escapeForLog(did)}/${escapeForLog(rkey)} `, ink: "blue" },
    isDeleted ? { text: "deleted", ink: "yellow" } : escapeForLog(record ?? "", MOST_CHARS),
  ];
}

export function changeJson(change: Change): string {
  if (change.kind !== "record") return JSON.stringify(change);
  const { kind, ...record } = change;
  return `{"kind":"${kind}",${recordJson(record).slice(1)}`;
}

/** With the record's address. The record is the database's text: parsing it here would round its large numbers. */
export function recordJson({ record, did, collection, rkey, ...rest }: AppliedRecord): string {
  const about = JSON.stringify({ uri: `at://${did}/${collection}/${rkey}`, did, collection, rkey, ...rest });
  return `${about.slice(0, -1)},"record":${record ?? "null"}}`;
}
