/** `plan` with and without a process: the request, and how the answer is shown. */
import { estimatePlan } from "@firehose-backfill/backfill/plan/estimate";
import { SurveyError } from "@firehose-backfill/source/survey";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import type { planHere, PlanHereOptions } from "@firehose-backfill/server/plan-here";
import { describe, expect, it } from "vitest";
import { main } from "../main.ts";
import { testServer } from "@firehose-backfill/testing/cli/answering-server";
import { testWorld } from "@firehose-backfill/testing/cli/world";

const NOW_MS = Date.UTC(2026, 2, 1);
const made = estimatePlan(
  {
    host: "relay.example",
    atMs: NOW_MS,
    wantedFromMs: null,
    stretches: [
      {
        from: { ordinal: 0, timeMs: NOW_MS - 60_000, token: null },
        to: { ordinal: 50, timeMs: NOW_MS, token: null },
        sample: null,
      },
    ],
    isClamped: false,
    endsLater: false,
    oldestKept: null,
    looks: 1,
  },
  parseConfig({}),
);

async function plan(argv: readonly string[], planner: typeof planHere, env: Readonly<Record<string, string>> = {}) {
  await using world = await testWorld({ env });
  const context = world.context(["plan", ...argv], { loadPlanner: () => Promise.resolve({ planHere: planner }) });
  return { exitCode: await main(context), stdout: world.stdout(), stderr: world.stderr() };
}

describe("plan", () => {
  it("shows a terminal that it is at work, and leaves no trace of it", async () => {
    await using world = await testWorld({ isTerminal: true, env: { NO_COLOR: "1" } });
    const loadPlanner = () => Promise.resolve({ planHere: () => Promise.resolve(made) });
    expect(await main(world.context(["plan"], { loadPlanner }))).toBe(0);
    expect(world.stderr()).toBe(`Looking at the relay ${"░".repeat(30)} 0 s\n\u001b[1A\u001b[0J`);
    expect(world.stdout()).toContain("Plan for relay.example");
  });

  it("without a process looks itself, with the settings and what is given over them", async () => {
    const asked: PlanHereOptions[] = [];
    const planner: typeof planHere = (options) => {
      asked.push(options);
      return Promise.resolve(made);
    };
    const argv = ["--days", "3", "--profile", "fast", "--collections", "app.bsky.feed.post"];
    const { exitCode, stdout } = await plan(argv, planner, { RELAY_URL: "wss://relay.example" });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("Plan for relay.example");
    expect(asked[0]?.config.settings).toMatchObject({
      relayUrl: "wss://relay.example",
      days: 3,
      batchSize: 50,
      collections: ["app.bsky.feed.post"],
    });
    expect(JSON.parse((await plan(["--json"], planner)).stdout)).toEqual(made);
  });

  it("says why a relay cannot be asked", async () => {
    const refused = () => Promise.reject(new SurveyError("relay.example cannot be asked: HTTP 429"));
    expect(await plan([], refused)).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "firehose-backfill: relay.example cannot be asked: HTTP 429\n",
    });
  });

  it("with a process asks that, and shows what it found", async () => {
    await using world = await testWorld();
    await using server = await testServer(world.dataDir, () => ({
      body: { ok: true, message: "about 1", plan: made },
    }));
    expect(await main(world.context(["plan", "--days", "2"]))).toBe(0);
    expect(server.asked.map(({ body }) => body)).toEqual([{ action: "plan", days: "2" }]);
    expect(world.stdout()).toContain("Plan for relay.example");
  });
});
