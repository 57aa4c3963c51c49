/** The status page behind the function URL: one Snapshot, as a page, as JSON or as text. It only reads. */
import { randomBytes } from "node:crypto";
import { systemClock } from "@firehose-backfill/core/clock";
import { collectSnapshot, createRateMeter } from "@firehose-backfill/status/collect-snapshot";
import { contentSecurityPolicy, renderHtml } from "@firehose-backfill/status/render-html";
import type { History } from "@firehose-backfill/status/history";
import { loadHistory } from "@firehose-backfill/status/stored-history";
import { renderJson } from "@firehose-backfill/status/render-json";
import { renderText } from "@firehose-backfill/status/render-text";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { LambdaFunctionURLResult } from "aws-lambda";
import { type Environment, readDeployedConfig } from "./deployed-config.ts";
import { refusalOf } from "./refusal.ts";
import { openServices } from "./services.ts";
import { chooseForm, type Form, readRequest } from "./status-request.ts";

export interface StatusPage {
  respond(event: unknown): Promise<LambdaFunctionURLResult>;
}

const TEXT_COLUMNS = 100;
const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** @throws ConfigError */
export function createStatusPage(env: Environment): StatusPage {
  const clock = systemClock;
  const deployed = readDeployedConfig(env);
  const { store, queue, items } = openServices(deployed, { clock, random: Math.random });
  const meter = createRateMeter();
  const { config } = deployed;
  const collect = (runId: string | null) =>
    collectSnapshot({ store, queue, items, clock, config, ...(runId === null ? { meter } : { runId }) });

  return {
    async respond(event) {
      const request = readRequest(event);
      if (request === null)
        return plain(400, "This function answers requests to its own address, with a page, JSON or text.");
      if (request.method !== "GET")
        return plain(405, "This page is read-only. To control a run use the control function.");
      const form = chooseForm(request);
      if (form === null)
        return plain(404, "There is GET /, GET /status.json, GET /status.txt, GET /history.json and GET /runs.json.");
      try {
        if (form === "runs") {
          const open = await store.openRuns();
          const runIds = open.length === 0 ? [null] : open.map(({ runId }) => runId);
          return json(`[${(await Promise.all(runIds.map(collect))).map(renderJson).join(",")}]`);
        }
        const wanted = request.run === null ? null : await store.findRun(request.run);
        if (wanted === null && request.run !== null) return plain(404, "No run has this id or name.");
        const snapshot = await collect(wanted?.runId ?? null);
        const drawsIt = form === "html" || form === "history";
        const history = drawsIt && snapshot.runId !== null ? await loadHistory(store, snapshot.runId) : null;
        return render(snapshot, history, form);
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal === null) throw error;
        return plain(503, refusal.message);
      }
    },
  };
}

function render(snapshot: Snapshot, history: History | null, form: Exclude<Form, "runs">): LambdaFunctionURLResult {
  switch (form) {
    case "html": {
      const nonce = randomBytes(16).toString("base64");
      return {
        statusCode: 200,
        headers: {
          ...HEADERS,
          "content-type": "text/html; charset=utf-8",
          "content-security-policy": contentSecurityPolicy(nonce),
        },
        body: renderHtml(snapshot, { nonce, history: history?.points ?? [] }),
      };
    }
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

function json(text: string): LambdaFunctionURLResult {
  const headers = { ...HEADERS, "content-type": "application/json; charset=utf-8" };
  return { statusCode: 200, headers, body: `${text}\n` };
}

function plain(statusCode: number, text: string): LambdaFunctionURLResult {
  return { statusCode, headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8" }, body: `${text}\n` };
}
