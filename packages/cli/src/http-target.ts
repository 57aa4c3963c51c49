/** Talks to the process on this machine through the HTTP server of its page. */
import { describeError, UsageError } from "@firehose-backfill/core/errors";
import { SENDER_HEADER } from "@firehose-backfill/server/sender-header";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { parseHistory } from "@firehose-backfill/status/history";
import { parseSummaries } from "@firehose-backfill/status/run-summary";
import type { ControlReply, ControlTarget } from "./control-target.ts";
import { CommandError } from "./errors.ts";
import { parsePlan } from "./parse-plan.ts";
import { parseResyncs } from "./parse-resyncs.ts";
import { parseSnapshot, parseSnapshots } from "./parse-snapshot.ts";

const TIMEOUT_MS = 30_000;
/** A plan takes long, because it reads from the relay slowly. */
const PLAN_TIMEOUT_MS = 120_000;
const BAD_REQUEST = 400;
const NOT_FOUND = 404;

export function httpTarget(options: { readonly url: string; readonly fetch: typeof fetch }): ControlTarget {
  const { url } = options;
  const ask = async (
    path: string,
    init: RequestInit,
    timeoutMs = TIMEOUT_MS,
  ): Promise<{ status: number; body: unknown }> => {
    try {
      const response = await options.fetch(`${url}${path}`, { ...init, signal: AbortSignal.timeout(timeoutMs) });
      const body: unknown = await response.json();
      return { status: response.status, body };
    } catch (error) {
      throw new CommandError(`${url} does not answer: ${describeError(error)}`);
    }
  };
  return {
    address: url,
    async send(event) {
      const init = {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json", [SENDER_HEADER]: "command" },
        body: JSON.stringify(event),
      };
      const { status, body } = await ask("/control", init, event.action === "plan" ? PLAN_TIMEOUT_MS : TIMEOUT_MS);
      return replyOf(status, body, url);
    },
    async snapshot(run) {
      const { status, body } = await ask(`/status.json${queryOf(run)}`, JSON_ONLY);
      if (status === NOT_FOUND && run !== undefined)
        throw new UsageError(`no run has the id or the name ${escapeForLog(run)}: firehose-backfill runs lists them`);
      const snapshot = status === 200 ? parseSnapshot(body) : null;
      if (snapshot === null)
        throw new CommandError(`${url}/status.json answered ${status}, and the answer is not a status`);
      return snapshot;
    },
    async snapshots() {
      const one = await this.snapshot();
      // Absent in the answer of a version that knows one run, too.
      if ((one.openRuns ?? 1) < 2) return [one];
      const { status, body } = await ask("/runs.json", JSON_ONLY);
      const snapshots = parseSnapshots(body);
      if (status !== 200 || snapshots === null)
        throw new CommandError(`${url}/runs.json answered ${status}, and the answer is not a list of runs`);
      return snapshots;
    },
    async past() {
      const { body } = await ask("/past.json", JSON_ONLY);
      return parseSummaries(body) ?? [];
    },
    async history(run) {
      const { status, body } = await ask(`/history.json${queryOf(run)}`, JSON_ONLY);
      return status === 200 ? parseHistory(body) : null;
    },
  };
}

const JSON_ONLY: RequestInit = { headers: { accept: "application/json" } };

function queryOf(run: string | undefined): string {
  return run === undefined ? "" : `?run=${encodeURIComponent(run)}`;
}

function replyOf(status: number, body: unknown, url: string): ControlReply {
  if (typeof body === "object" && body !== null && "ok" in body) {
    if (body.ok === true && "message" in body) {
      const plan = "plan" in body ? parsePlan(body.plan) : null;
      const message = String(body.message)
        .split("\n")
        .map((line) => escapeForLog(line))
        .join("\n");
      const resyncs = "resyncs" in body ? parseResyncs(body.resyncs) : null;
      return { ok: true, message, ...(plan === null ? {} : { plan }), ...(resyncs === null ? {} : { resyncs }) };
    }
    if (body.ok === false && "error" in body) {
      const lines = String(body.error).split("\n");
      const error = lines.map((line) => escapeForLog(line)).join("\n");
      return { ok: false, error, isMalformed: status === BAD_REQUEST };
    }
  }
  throw new CommandError(`${url}/control answered ${status}, and the answer is not one to a control event`);
}
