/** Commands for a deployed run, with the real SDK against a stand-in for Lambda's API; and the page that is served for it. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { emptyHistory } from "@firehose-backfill/status/history";
import { summaryOfRun } from "@firehose-backfill/status/run-summary";
import { sampleRun } from "@firehose-backfill/testing/status/sample-run";
import { sampleHistory, sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "./main.ts";
import { testWorld, type TestWorld } from "@firehose-backfill/testing/cli/world";

interface Call {
  readonly name: string;
  readonly event: unknown;
  readonly signed: boolean;
}

type Answer = { readonly status?: number; readonly error?: string; readonly body: unknown };

/** The part of Lambda's Invoke that we use. */
async function lambdaServer(answer: (call: Call) => Answer) {
  const calls: Call[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, name = ""] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(request.url ?? "") ?? [];
    const signed = request.headers.authorization?.startsWith("AWS4-HMAC-SHA256") ?? false;
    const call = { name, event: JSON.parse(await text(request)), signed };
    calls.push(call);
    const { status = 200, error, body } = answer(call);
    if (status !== 200) response.setHeader("x-amzn-errortype", error ?? "");
    else if (error !== undefined) response.setHeader("x-amz-function-error", error);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => void respond(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  vi.stubEnv("AWS_ENDPOINT_URL_LAMBDA", `http://127.0.0.1:${address.port}`);
  return {
    calls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

beforeEach(() => {
  vi.stubEnv("AWS_REGION", "eu-central-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
});
afterEach(() => vi.unstubAllEnvs());

const NAME = "backfill-test-control";
const loadInvoker = () => import("./invoke-function.ts");

function ask(world: TestWorld, ...argv: readonly string[]): Promise<number> {
  return main(world.context(argv, { loadInvoker }));
}

describe("--function", () => {
  it("sends the control's own events, signed, and shows the answer", async () => {
    await using lambda = await lambdaServer(() => ({
      body: { ok: true, message: "run-1 is pausing", snapshot: null },
    }));
    await using world = await testWorld();
    expect(await ask(world, "pause", "--now", "--function", NAME)).toBe(0);
    expect(lambda.calls).toEqual([{ name: NAME, event: { action: "pause", now: true }, signed: true }]);
    expect(world.stdout()).toBe("run-1 is pausing\n");
  });

  it("ticks by the reader's own function", async () => {
    await using lambda = await lambdaServer(() => ({ body: { message: "run run-1 is running" } }));
    await using world = await testWorld();
    expect(await ask(world, "tick", "--function", NAME)).toBe(0);
    expect(lambda.calls).toEqual([{ name: "backfill-test-reader", event: { action: "tick" }, signed: true }]);
    expect(world.stdout()).toBe("run run-1 is running\n");
  });

  it("shows the status by control, and by the status function", async () => {
    await using lambda = await lambdaServer(({ name }) =>
      name === NAME
        ? { body: { ok: true, message: "", snapshot: sampleSnapshot() } }
        : { body: { statusCode: 200, headers: {}, body: JSON.stringify(sampleSnapshot()) } },
    );
    for (const name of [NAME, "backfill-test-status"]) {
      await using world = await testWorld();
      expect(await ask(world, "status", "--json", "--function", name)).toBe(0);
      expect(JSON.parse(world.stdout())).toEqual(sampleSnapshot());
    }
    expect(lambda.calls.map(({ event }) => event)).toMatchObject([{ action: "status" }, { rawPath: "/status.json" }]);
  });

  it.each<[string, Answer, RegExp]>([
    [
      "a refusal",
      { body: { ok: false, message: "run-1 is running\u001b[2J", problems: [] } },
      /^firehose-backfill: run-1 is running\\u001b/,
    ],
    [
      "no such function",
      { status: 404, error: "ResourceNotFoundException", body: { Message: "x" } },
      /there is no function backfill-test-control/,
    ],
    ["no permission", { status: 403, error: "AccessDeniedException", body: { Message: "x" } }, /lambda:InvokeFunction/],
    ["a failure of its own", { error: "Unhandled", body: { errorMessage: "boom" } }, /failed \(Unhandled\): .*boom/],
    ["something else that answers", { body: { hello: "world" } }, /did not answer like a control function/],
  ])("%s is told, with 1", async (_name, answer, message) => {
    await using lambda = await lambdaServer(() => answer);
    await using world = await testWorld();
    expect(await ask(world, "resume", "--function", NAME)).toBe(1);
    expect(world.stderr()).toMatch(message);
    expect(lambda.calls).toHaveLength(1);
  });
});

describe("issue 14.6: several deployed runs", () => {
  const runs = ["run-1", "run-2"].map((runId) => sampleSnapshot({ runId, name: `name of ${runId}` }));
  const began = Date.UTC(2026, 1, 1);
  const past = [
    summaryOfRun(sampleRun({ runId: "run-0", status: "succeeded", createdAtMs: began, finishedAtMs: began + 60_000 })),
  ];
  const bodies: Readonly<Record<string, unknown>> = {
    "/status.json": { ...runs[1], openRuns: 2 },
    "/runs.json": runs,
    "/past.json": past,
  };
  const serve = () =>
    lambdaServer(({ name, event }) => {
      if (name === NAME) return { body: { ok: true, message: "", snapshot: runs[1], snapshots: runs } };
      const path: unknown = typeof event === "object" && event !== null ? Reflect.get(event, "rawPath") : "";
      return { body: { statusCode: 200, headers: {}, body: JSON.stringify(bodies[String(path)]) } };
    });

  it.each([
    [NAME, 1],
    ["backfill-test-status", 2],
  ])("status --all asks %s for each, with %i calls", async (name, calls) => {
    await using lambda = await serve();
    await using world = await testWorld();
    expect(await ask(world, "status", "--json", "--all", "--function", name)).toBe(0);
    expect(JSON.parse(world.stdout())).toEqual(runs);
    expect(lambda.calls).toHaveLength(calls);
  });

  it.each([NAME, "backfill-test-status"])(
    "runs lists the past ones, too, which the status function knows: %s",
    async (name) => {
      await using lambda = await serve();
      await using world = await testWorld();
      expect(await ask(world, "runs", "--function", name)).toBe(0);
      expect(world.stdout()).toMatch(/name of run-1[^]*run-0 on/);
      expect(lambda.calls.map((call) => call.name)).toContain("backfill-test-status");
    },
  );
});

describe("report --function", () => {
  const tuned = { atMs: Date.UTC(2026, 2, 1, 10), kind: "tune", text: "tune: batchDelayMs 2000 → 1000" } as const;
  const history = { ...emptyHistory(sampleSnapshot().runId ?? ""), points: sampleHistory(), marks: [tuned] };

  it.each([
    ["control", NAME],
    ["status", "backfill-test-status"],
  ])("draws the course that the run's own ticks have kept, asked of %s", async (_, name) => {
    await using lambda = await lambdaServer((call) => ({ body: answerTo(call) }));
    await using world = await testWorld();
    expect(await ask(world, "report", "--out", "-", "--function", name)).toBe(0);
    expect(world.stdout()).toContain("Rate over the run against the allowed rate");
    expect(world.stdout()).toContain("tune: batchDelayMs 2000 → 1000");
    expect(lambda.calls).toHaveLength(2);
  });

  it("of a version that keeps none has the figures, and says that there are no plots", async () => {
    await using _ = await lambdaServer(({ event }) =>
      JSON.stringify(event).includes("history")
        ? { body: { ok: false, message: 'status does not take "history"', problems: [] } }
        : { body: { ok: true, message: "", snapshot: sampleSnapshot() } },
    );
    await using world = await testWorld();
    expect(await ask(world, "report", "--out", "-", "--function", NAME)).toBe(0);
    expect(world.stdout()).toContain("there is none for this one");
  });

  function answerTo({ name, event }: Call): unknown {
    if (name === NAME) return { ok: true, message: "", snapshot: sampleSnapshot(), history };
    const isHistory = JSON.stringify(event).includes("/history.json");
    return { statusCode: 200, headers: {}, body: JSON.stringify(isHistory ? history : sampleSnapshot()) };
  }
});

describe("page --function", () => {
  it("serves the page, asks the status function once a second at most, and sends clicks to control", async () => {
    await using lambda = await lambdaServer(({ name }) =>
      name === NAME
        ? { body: { ok: true, message: "run-1 is pausing", snapshot: null } }
        : { body: { statusCode: 200, body: JSON.stringify(sampleSnapshot()) } },
    );
    await using world = await testWorld();
    const served = ask(world, "page", "--port", "0", "--function", "backfill-test-status");
    await expect.poll(() => world.stdout(), { timeout: 10_000 }).toMatch(/^http:/);
    const url = world.stdout().trim();
    expect(await (await fetch(url)).text()).toContain("26,950");
    const send = (event: object) =>
      fetch(`${url}/control`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json" },
        body: JSON.stringify(event),
      });
    expect(await (await send({ action: "pause" })).json()).toEqual({ ok: true, message: "run-1 is pausing" });
    expect(lambda.calls.map(({ name, event }) => [name, event])).toMatchObject([
      ["backfill-test-status", { rawPath: "/history.json" }],
      ["backfill-test-status", { rawPath: "/status.json" }],
      [NAME, { action: "pause" }],
    ]);
    world.signal("SIGINT");
    expect(await served).toBe(130);
  });

  it("without a function says where the page is", async () => {
    await using world = await testWorld();
    expect(await ask(world, "page")).toBe(1);
    expect(world.stderr()).toContain("no process is running on");
  });
});
