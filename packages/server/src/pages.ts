/** The pages of the server: of one run, of all runs, and the report of a run. */
import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { isFinished } from "@firehose-backfill/core/run-state";
import { courseOf, rangeOf } from "@firehose-backfill/status/course";
import type { History } from "@firehose-backfill/status/history";
import { contentSecurityPolicy, renderHtml } from "@firehose-backfill/status/render-html";
import { renderReport } from "@firehose-backfill/status/render-report";
import { renderRunsHtml } from "@firehose-backfill/status/render-runs-html";
import type { RunSummary } from "@firehose-backfill/status/run-summary";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { FormNotices } from "./form-notices.ts";

export interface ShownRun {
  readonly snapshot: Snapshot;
  readonly history: History;
}

export interface ServedRuns {
  /** The snapshot of each open run or, if none is open, of the last run. */
  all(): Promise<readonly Snapshot[]>;
  /** By id or name. null: there is no such run. */
  find(run: string): Promise<ShownRun | null>;
  /** The finished runs, newest first. */
  past(): Promise<readonly RunSummary[]>;
}

export interface Shown {
  readonly snapshot: () => Promise<Snapshot>;
  readonly history: () => History;
  readonly runs?: ServedRuns;
  readonly notices: FormNotices;
  /** Left out: there is no page of dead events. */
  readonly openDeadEvents?: () => unknown;
}

/** `wanted` is an id or a name, or null for the run that is shown by default. Returns null if there is no such run. */
export async function findShown(shown: Shown, wanted: string | null): Promise<ShownRun | null> {
  if (wanted !== null && shown.runs !== undefined) return shown.runs.find(wanted);
  const snapshots = await shownRuns(shown);
  const snapshot = snapshots.at(-1);
  if (snapshot === undefined) return null;
  const openRuns = snapshots.filter(isOpen).length;
  return { snapshot: openRuns > 1 ? { ...snapshot, openRuns } : snapshot, history: shown.history() };
}

export function shownRuns(shown: Shown): Promise<readonly Snapshot[]> {
  return shown.runs === undefined ? shown.snapshot().then((snapshot) => [snapshot]) : shown.runs.all();
}

export function pastRuns(shown: Shown): Promise<readonly RunSummary[]> {
  return shown.runs === undefined ? Promise.resolve([]) : shown.runs.past();
}

interface Asked {
  readonly search: URLSearchParams;
  readonly path: "/" | "/runs";
}

/** `/` shows the only open run, or the last one; where several are open, their list. `?run=` shows one of them. */
export async function sendPage(shown: Shown, response: ServerResponse, { search, path }: Asked): Promise<void> {
  const wanted = search.get("run");
  if (path === "/runs") return sendRuns(shown, response, { search, path }, await shownRuns(shown));
  if (wanted !== null) {
    const found = await findShown(shown, wanted);
    if (found === null) return sendJson(response, 404, noSuchRun(search));
    return sendRunPage(shown, response, search, found, true);
  }
  const snapshots = await shownRuns(shown);
  const only = snapshots.at(-1);
  if (only === undefined || snapshots.filter(isOpen).length > 1)
    return sendRuns(shown, response, { search, path }, snapshots);
  sendRunPage(shown, response, search, { snapshot: only, history: shown.history() }, false);
}

function isOpen({ status }: Snapshot): boolean {
  return status !== "none" && !isFinished(status);
}

async function sendRuns(
  shown: Shown,
  response: ServerResponse,
  { search, path }: Asked,
  snapshots: readonly Snapshot[],
): Promise<void> {
  const past = await pastRuns(shown);
  sendHtml(response, (nonce) => renderRunsHtml(snapshots, { ...frameOf(shown, search), nonce, path, past }));
}

function sendRunPage(
  shown: Shown,
  response: ServerResponse,
  search: URLSearchParams,
  { snapshot, history }: ShownRun,
  isOneOfSeveral: boolean,
): void {
  const course = courseOf(history, rangeOf(search.get("range")), Date.parse(snapshot.at));
  const hasDeadPage = shown.openDeadEvents !== undefined;
  const options = { ...frameOf(shown, search), course, isOneOfSeveral, hasDeadPage };
  sendHtml(response, (nonce) => renderHtml(snapshot, { ...options, nonce }));
}

function frameOf({ notices }: Shown, search: URLSearchParams) {
  const notice = notices.find(search);
  return { isStill: search.has("still"), ...(notice === null ? {} : { notice }) };
}

/** It has no script, and a style sheet of its own. */
export function sendReport(response: ServerResponse, { snapshot, history }: ShownRun): void {
  response.setHeader(
    "content-security-policy",
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  );
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(renderReport(snapshot, history));
}

function sendHtml(response: ServerResponse, render: (nonce: string) => string): void {
  const nonce = randomBytes(16).toString("base64");
  const page = render(nonce);
  response.setHeader("content-security-policy", contentSecurityPolicy(nonce));
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
}

export function noSuchRun(search: URLSearchParams) {
  return { ok: false, error: `no run has the id or the name ${search.get("run") ?? ""}` };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(`${JSON.stringify(body)}\n`);
}
