/** Several runs over HTTP: each by its id or name, all of them as a list, and the answer where a command names none. */
import { ChooseRunError } from "@firehose-backfill/backfill/open-run";
import { emptyHistory } from "@firehose-backfill/status/history";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { expect, test } from "vitest";
import { startHttpServer } from "./http-server.ts";

const LONG = sampleSnapshot({ runId: "20260301-090000-aaaa", name: null, processed: 11 });
const NIGHTLY = sampleSnapshot({ runId: "20260301-230000-bbbb", name: "nightly", processed: 22 });
const RUNS = [LONG, NIGHTLY];

function serve() {
  return startHttpServer({
    port: 0,
    snapshot: async () => NIGHTLY,
    history: () => emptyHistory(NIGHTLY.runId ?? ""),
    runs: {
      all: async () => RUNS,
      past: async () => [],
      find: async (wanted) => {
        const snapshot = RUNS.find(({ runId, name }) => runId === wanted || name === wanted);
        return snapshot === undefined ? null : { snapshot, history: emptyHistory(snapshot.runId ?? "") };
      },
    },
    control: (event) =>
      JSON.stringify(event).includes('"run"')
        ? Promise.resolve({ message: "run 20260301-230000-bbbb (nightly) is pausing" })
        : Promise.reject(new ChooseRunError("2 runs are open: say which one to pause with --run ID or --run NAME.")),
    log: () => {},
  });
}

test.each([
  ["/status.json?run=nightly", { runId: NIGHTLY.runId, processed: 22 }],
  [`/status.json?run=${LONG.runId}`, { runId: LONG.runId, processed: 11 }],
  ["/status.json", { runId: NIGHTLY.runId }],
  [`/history.json?run=${LONG.runId}`, { runId: LONG.runId }],
  ["/history.json?run=nightly", { runId: NIGHTLY.runId }],
  ["/runs.json", [{ runId: LONG.runId }, { runId: NIGHTLY.runId }]],
])("issue 14.1: %s", async (path, answer) => {
  await using server = await serve();
  const response = await fetch(`${server.url}${path}`);
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject(answer);
});

test("issue 14.1: the page of one run is at ?run=", async () => {
  await using server = await serve();
  expect(await (await fetch(`${server.url}/?run=${LONG.runId}`)).text()).toContain(LONG.runId);
});

test.each(["/", "/status.json", "/history.json"])("issue 14.1: %s of a run that is not there is 404", async (path) => {
  await using server = await serve();
  const response = await fetch(`${server.url}${path}?run=nobody`);
  expect(response.status).toBe(404);
});

test("issue 14.1: a command that names none of several runs is wrong in itself (400: exit code 2), and one that names it is done", async () => {
  await using server = await serve();
  const send = async (event: object) => {
    const headers = { "content-type": "application/json", accept: "application/json" };
    const response = await fetch(`${server.url}/control`, { method: "POST", headers, body: JSON.stringify(event) });
    return { status: response.status, body: await response.json() };
  };
  expect(await send({ action: "pause" })).toMatchObject({
    status: 400,
    body: { ok: false, error: expect.stringContaining("2 runs are open") },
  });
  expect(await send({ action: "pause", run: "nightly" })).toMatchObject({ status: 200, body: { ok: true } });
});
