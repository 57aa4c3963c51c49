/** The status page behind the function URL: one Snapshot or a list of them, as a page, as JSON or as text. It only reads. */
import { systemClock } from "@firehose-backfill/core/clock";
import { collectSnapshot, createRateMeter } from "@firehose-backfill/status/collect-snapshot";
import { loadHistory } from "@firehose-backfill/status/stored-history";
import { summaryOfRun } from "@firehose-backfill/status/run-summary";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { LambdaFunctionURLResult } from "aws-lambda";
import { type Environment, readDeployedConfig } from "./deployed-config.ts";
import { refusalOf } from "./refusal.ts";
import { openServices } from "./services.ts";
import { json, plain, renderRun, renderRuns, runsPage } from "./status-answer.ts";
import { chooseForm, type Form, type PageRequest, PATHS, readRequest } from "./status-request.ts";

export interface StatusPage {
  respond(event: unknown): Promise<LambdaFunctionURLResult>;
}

const MOST_PAST_RUNS = 50;
/** This function has no secret and reaches no database. */
const NO_DEAD_PAGE =
  "Dead events are in the database of the run, which this function does not reach. To list them: DATABASE_URL=... firehose-backfill dead";

/** @throws ConfigError */
export function createStatusPage(env: Environment): StatusPage {
  const clock = systemClock;
  const deployed = readDeployedConfig(env);
  const { store, queue, items } = openServices(deployed, { clock, random: Math.random });
  const meter = createRateMeter();
  const { config } = deployed;
  const collect = (runId: string | null) =>
    collectSnapshot({ store, queue, items, clock, config, ...(runId === null ? { meter } : { runId }) });

  /** Of each open run, in the order in which they began; where none is open, of the last one. */
  const collectAll = async (): Promise<readonly Snapshot[]> => {
    const open = await store.openRuns();
    // The meter knows the rate of one run.
    return open.length < 2 ? [await collect(null)] : Promise.all(open.map(({ runId }) => collect(runId)));
  };
  const past = async () => (await store.pastRuns({ limit: MOST_PAST_RUNS })).map(summaryOfRun);

  const answer = async (form: Form, { path, run, range }: PageRequest): Promise<LambdaFunctionURLResult> => {
    switch (form) {
      case "runs":
        return renderRuns(await collectAll());
      case "past":
        return json(JSON.stringify(await past()));
      case "runs-page":
        return runsPage(await collectAll(), await past(), "/runs");
      case "html":
      case "json":
      case "text":
      case "history":
      case "report":
        return answerRun(form, { path, run, range });
      default: {
        const unreachable: never = form;
        return unreachable;
      }
    }
  };

  const answerRun = async (
    form: Parameters<typeof renderRun>[0],
    { path, run, range }: Pick<PageRequest, "path" | "run" | "range">,
  ): Promise<LambdaFunctionURLResult> => {
    const wanted = run === null ? null : await store.findRun(run);
    if (wanted === null && run !== null) return plain(404, "No run has this id or name.");
    const openRuns = wanted === null ? (await store.openRuns()).length : 1;
    if (form === "html" && path === "/" && openRuns > 1) return runsPage(await collectAll(), await past(), "/");
    const one = await collect(wanted?.runId ?? null);
    const snapshot = openRuns > 1 ? { ...one, openRuns } : one;
    const isDrawn = form === "html" || form === "history" || form === "report";
    const history = isDrawn && snapshot.runId !== null ? await loadHistory(store, snapshot.runId) : null;
    return renderRun(form, { snapshot, history, range, isOneOfSeveral: wanted !== null });
  };

  return {
    async respond(event) {
      const request = readRequest(event);
      if (request === null)
        return plain(400, "This function answers requests to its own address, with a page, JSON or text.");
      if (request.method !== "GET")
        return plain(405, "This page is read-only. To control a run use the control function.");
      const form = chooseForm(request);
      if (request.path === "/dead") return plain(404, NO_DEAD_PAGE);
      if (form === null) return plain(404, `There is GET ${PATHS.join(", GET ")}.`);
      try {
        return await answer(form, request);
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal === null) throw error;
        return plain(503, refusal.message);
      }
    },
  };
}
