import { UsageError } from "@firehose-backfill/core/errors";
import { emptyHistory } from "@firehose-backfill/status/history";
import { summaryOfRun } from "@firehose-backfill/status/run-summary";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { sampleRun } from "@firehose-backfill/testing/status/sample-run";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { describe, expect, test } from "vitest";
import { startHttpServer } from "./http-server.ts";

const history = sampleSnapshot({ runId: "run-1", name: "history" });
const nightly = sampleSnapshot({ runId: "run-2", name: "nightly" });
const past = [summaryOfRun(sampleRun({ runId: "run-0", status: "succeeded" }))];

function serve(open: readonly Snapshot[], control = async (): Promise<{ message: string }> => ({ message: "done" })) {
  return startHttpServer({
    port: 0,
    snapshot: async () => open.at(-1) ?? nightly,
    history: () => emptyHistory("run-2"),
    runs: {
      all: async () => open,
      past: async () => past,
      find: async (run) => {
        const snapshot = [...open, sampleSnapshot({ runId: "run-0", status: "succeeded" })].find(
          ({ runId, name }) => runId === run || name === run,
        );
        return snapshot === undefined ? null : { snapshot, history: emptyHistory(run) };
      },
    },
    control,
    log: () => {},
  });
}

async function text(url: string, path: string): Promise<string> {
  return (await fetch(`${url}${path}`)).text();
}

/** As a browser sends a form without a script. */
function send(url: string, body: string): Promise<Response> {
  const headers = { "content-type": "application/x-www-form-urlencoded", accept: "text/html", origin: url };
  return fetch(`${url}/control`, { method: "POST", redirect: "manual", body, headers });
}

describe("issue 14.6: the pages of several runs", () => {
  test("/ is the list where several runs are open, and the page of the run where one is", async () => {
    await using several = await serve([history, nightly]);
    expect(await text(several.url, "/")).toContain("2 runs are open");
    await using one = await serve([nightly]);
    expect(await text(one.url, "/")).toContain('id="do-pause"');
    expect(await text(one.url, "/runs")).toContain("1 run is open");
    await using over = await serve([sampleSnapshot({ status: "succeeded" })]);
    expect(await text(over.url, "/")).toContain("Start a new run…");
    expect(await text(over.url, "/runs")).toContain("No run is open.");
  });

  test("each run, open or past, has a page, a status, a history and a report, by id or name", async () => {
    await using server = await serve([history, nightly]);
    for (const run of ["run-1", "history"]) {
      expect(await text(server.url, `/?run=${run}`)).toContain('name="run" value="run-1"');
      expect(JSON.parse(await text(server.url, `/status.json?run=${run}`))).toEqual(history);
      expect(await text(server.url, `/report?run=${run}`)).toContain("<title>Run run-1 on relay.example:443</title>");
    }
    expect(await text(server.url, "/report?run=run-0")).toContain("Run run-0");
    for (const path of ["/", "/status.json", "/history.json", "/report"])
      expect((await fetch(`${server.url}${path}?run=nothing`)).status).toBe(404);
  });

  test("/status.json is one object and says that there are others; /runs.json has each; /past.json those that are over", async () => {
    await using server = await serve([history, nightly]);
    expect(JSON.parse(await text(server.url, "/status.json"))).toEqual({ ...nightly, openRuns: 2 });
    expect(JSON.parse(await text(server.url, "/runs.json"))).toEqual([history, nightly]);
    expect(JSON.parse(await text(server.url, "/past.json"))).toEqual(past);
    await using one = await serve([nightly]);
    expect(JSON.parse(await text(one.url, "/status.json"))).toEqual(nightly);
  });

  test("/metrics has every open run, by id, with its name", async () => {
    await using server = await serve([history, nightly]);
    const metrics = await text(server.url, "/metrics");
    expect(metrics).toContain('firehose_backfill_events_received_total{run="run-1"}');
    expect(metrics).toContain('firehose_backfill_events_received_total{run="run-2"}');
    expect(metrics).toContain('firehose_backfill_run_info{run="run-2",name="nightly",source="relay.example:443"} 1');
  });

  test("a form of a run's page is about that run, and leads back to its page", async () => {
    const events: unknown[] = [];
    await using server = await serve([history, nightly], async (...given: unknown[]) => {
      events.push(given[0]);
      return { message: "done" };
    });
    for (const action of ["pause", "pause-now", "resume", "cancel", "tick"]) {
      const answer = await send(server.url, `action=${action}&run=run-1`);
      expect(answer.headers.get("location")).toMatch(/^\/\?run=run-1&answer=/);
    }
    expect(events).toEqual([
      { action: "pause", run: "run-1" },
      { action: "pause", now: true, run: "run-1" },
      { action: "resume", run: "run-1" },
      { action: "cancel", run: "run-1" },
      { action: "tick", run: "run-1" },
    ]);
  });
});

describe("issue 17.3: without a script", () => {
  const focusOf = (page: string) => /<(?:button|summary)[^>]*autofocus[^>]*>/.exec(page)?.[0] ?? "";

  test.each([
    ["pause", { status: "pausing" }, 'id="do-resume"'],
    ["resume", { status: "running" }, 'id="do-pause"'],
    ["tick", { status: "running" }, 'id="do-tick"'],
    ["tune", { status: "running" }, 'data-slot="tune"'],
    ["pause-now", { status: "paused" }, 'data-slot="more"'],
    ["cancel", { status: "cancelling" }, 'id="do-tick"'],
    ["cancel", { status: "cancelled" }, 'data-slot="start"'],
    ["redrive", { dead: 3 }, 'id="do-redrive"'],
  ] as const)("after %s the focus is on what is in the same place: %j", async (action, different, place) => {
    await using server = await serve([sampleSnapshot(different)]);
    const answer = await send(server.url, `action=${action}`);
    const page = await text(server.url, answer.headers.get("location") ?? "");
    expect(focusOf(page)).toContain(place);
    expect(focusOf(page)).not.toContain("disabled");
    expect(page.split("autofocus")).toHaveLength(2);
    expect(focusOf(await text(server.url, "/"))).toBe("");
  });

  test("an empty tune is answered in words, to a form with a script as well", async () => {
    const refuse = () => Promise.reject(new UsageError('tune takes settings, for example { "action": "tune" }'));
    await using server = await serve([nightly], refuse);
    const answer = await send(server.url, "action=tune&BACKFILL_BATCH_SIZE=&BACKFILL_PROFILE=");
    const words = "Nothing was changed: every field was left empty.";
    expect(await text(server.url, answer.headers.get("location") ?? "")).toContain(words);
    const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
    const scripted = await fetch(`${server.url}/control`, { method: "POST", body: "action=tune", headers });
    expect(await scripted.json()).toEqual({ ok: false, error: words });
    // The answer to a program's control event says which fields an event has.
    const event = { method: "POST", body: '{"action":"tune"}', headers: { "content-type": "application/json" } };
    expect(await (await fetch(`${server.url}/control`, event)).json()).toMatchObject({
      error: expect.stringContaining("tune takes settings"),
    });
  });

  test("a field of a number says which numbers it takes", async () => {
    await using server = await serve([nightly]);
    expect(await text(server.url, "/")).toMatch(
      /id="tune-BACKFILL_BATCH_SIZE"[^>]*title="a whole number from 1 to 1000"/,
    );
  });

  test("the plots have a range that is a link", async () => {
    await using server = await serve([nightly]);
    expect(await text(server.url, "/?range=day")).toMatch(/href="\/\?range=day#ranges"\s+aria-current="true"/);
  });
});
