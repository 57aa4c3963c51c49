/** The answers of the status function: a page, JSON or text, each with its headers. Pure, but for the nonce of a page. */
import { randomBytes } from "node:crypto";
import { courseOf, rangeOf } from "@firehose-backfill/status/course";
import type { History } from "@firehose-backfill/status/history";
import { contentSecurityPolicy, renderHtml } from "@firehose-backfill/status/render-html";
import { renderJson } from "@firehose-backfill/status/render-json";
import { renderReport } from "@firehose-backfill/status/render-report";
import { renderRunsHtml } from "@firehose-backfill/status/render-runs-html";
import { renderText } from "@firehose-backfill/status/render-text";
import type { RunSummary } from "@firehose-backfill/status/run-summary";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { LambdaFunctionURLResult } from "aws-lambda";
import type { Form } from "./status-request.ts";

const TEXT_COLUMNS = 100;
const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

export interface AnsweredRun {
  readonly snapshot: Snapshot;
  readonly history: History | null;
  readonly range: string | null;
  readonly isOneOfSeveral: boolean;
}

export function renderRun(
  form: Exclude<Form, "runs" | "runs-page" | "past">,
  { snapshot, history, range, isOneOfSeveral }: AnsweredRun,
): LambdaFunctionURLResult {
  switch (form) {
    case "html": {
      const course = history === null ? {} : { course: courseOf(history, rangeOf(range), Date.parse(snapshot.at)) };
      return page((nonce) => renderHtml(snapshot, { nonce, isOneOfSeveral, ...course }));
    }
    case "report":
      return html(renderReport(snapshot, history), REPORT_POLICY);
    case "json":
      return json(renderJson(snapshot));
    case "history":
      return json(JSON.stringify(history));
    case "text":
      return plain(200, renderText(snapshot, { width: TEXT_COLUMNS, color: false }).join("\n"));
    default: {
      const unreachable: never = form;
      return unreachable;
    }
  }
}

export function renderRuns(snapshots: readonly Snapshot[]): LambdaFunctionURLResult {
  return json(`[${snapshots.map(renderJson).join(",")}]`);
}

export function runsPage(
  snapshots: readonly Snapshot[],
  past: readonly RunSummary[],
  path: "/" | "/runs",
): LambdaFunctionURLResult {
  return page((nonce) => renderRunsHtml(snapshots, { nonce, path, past }));
}

/** The report has no script, and a style sheet of its own. */
const REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

function page(render: (nonce: string) => string): LambdaFunctionURLResult {
  const nonce = randomBytes(16).toString("base64");
  return html(render(nonce), contentSecurityPolicy(nonce));
}

function html(body: string, policy: string): LambdaFunctionURLResult {
  const headers = { ...HEADERS, "content-type": "text/html; charset=utf-8", "content-security-policy": policy };
  return { statusCode: 200, headers, body };
}

export function json(text: string): LambdaFunctionURLResult {
  const headers = { ...HEADERS, "content-type": "application/json; charset=utf-8" };
  return { statusCode: 200, headers, body: `${text}\n` };
}

export function plain(statusCode: number, text: string): LambdaFunctionURLResult {
  return { statusCode, headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8" }, body: `${text}\n` };
}
