/** `GET /dead`: reads the requested dead events from the database and renders them. */
import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { deadEventJson } from "@firehose-backfill/backfill/dead-event-json";
import { contentSecurityPolicy } from "@firehose-backfill/status/render-html";
import { type DeadQuery, renderDeadPage, type DeadPageOptions } from "@firehose-backfill/status/render-dead-page";
import type { DeadEvent, DeadEvents, ListDeadOptions } from "@firehose-backfill/sink/dead-events";
import type { FormNotices } from "./form-notices.ts";
import { sendJson } from "./pages.ts";

const ON_A_PAGE = 25;
const MAX_EVENT_BYTES = 16 * 1024;
const MAX_FIELD_CHARS = 200;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

export interface DeadPageSite {
  /** Left out: this process cannot reach the database. */
  readonly openDeadEvents?: () => DeadEvents;
  readonly notices: Pick<FormNotices, "find">;
}

/** @throws SinkError */
export async function sendDead(
  { openDeadEvents, notices }: DeadPageSite,
  response: ServerResponse,
  search: URLSearchParams,
): Promise<void> {
  if (openDeadEvents === undefined) {
    const error = "dead events are in the run's database: look there with firehose-backfill dead and its DATABASE_URL";
    sendJson(response, 404, { ok: false, error });
    return;
  }
  const notice = notices.find(search);
  const nonce = randomBytes(16).toString("base64");
  const page = await deadPage(openDeadEvents, search, { nonce, ...(notice === null ? {} : { notice }) });
  response.setHeader("content-security-policy", contentSecurityPolicy(nonce));
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
}

async function deadPage(
  openDeadEvents: () => DeadEvents,
  search: URLSearchParams,
  options: DeadPageOptions,
): Promise<string> {
  const query = readQuery(search);
  await using dead = openDeadEvents();
  if (query.id !== undefined) {
    const events = await dead.list({ id: query.id, limit: 1, withApplied: true });
    return renderDeadPage({ query, events: events.map(deadEventJson), counts: {}, next: null }, options);
  }
  const { run, reason, applied } = query;
  const after = query.after === undefined ? null : readPlace(query.after);
  const found = await dead.list({
    ...(run === undefined ? {} : { runId: run }),
    ...(reason === undefined ? {} : { reason }),
    ...(after === null ? {} : { after }),
    withApplied: applied,
    maxEventBytes: MAX_EVENT_BYTES,
    limit: ON_A_PAGE + 1,
  });
  const events = found.slice(0, ON_A_PAGE);
  const last = events.at(-1);
  const next = found.length > ON_A_PAGE && last !== undefined ? placeOf(last) : null;
  const counts = await dead.countByReason(run);
  return renderDeadPage({ query, events: events.map(deadEventJson), counts, next }, options);
}

/** Parameters that are not understood are ignored. The page then shows more events, and says which. */
function readQuery(search: URLSearchParams): DeadQuery {
  const field = (name: string) => {
    const value = search.get(name)?.slice(0, MAX_FIELD_CHARS).replaceAll("\0", "") ?? "";
    return value === "" ? {} : { [name]: value };
  };
  const id = search.get("id")?.toLowerCase() ?? "";
  return {
    ...field("run"),
    ...field("reason"),
    ...field("after"),
    ...(UUID.test(id) ? { id } : {}),
    applied: search.get("applied") === "1",
  };
}

function placeOf({ runId, seq, id }: DeadEvent): string {
  return `${id}.${seq}.${runId}`;
}

function readPlace(text: string): NonNullable<ListDeadOptions["after"]> | null {
  const [, id, seq, runId] = /^([\da-f-]{36})\.(-?\d{1,16})\.(.+)$/.exec(text) ?? [];
  if (id === undefined || seq === undefined || runId === undefined || !UUID.test(id)) return null;
  return { id, seq: Number(seq), runId };
}
