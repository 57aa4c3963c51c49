import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { summaryOfRun } from "@firehose-backfill/status/run-summary";
import { testServer } from "@firehose-backfill/testing/cli/answering-server";
import { testWorld } from "@firehose-backfill/testing/cli/world";
import { sampleRun, T0 } from "@firehose-backfill/testing/status/sample-run";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { describe, expect, it } from "vitest";
import { main } from "../main.ts";

const open = sampleSnapshot({ runId: "run-9", name: "nightly", startedAt: new Date(T0 + 60_000).toISOString() });
const past = [
  summaryOfRun(sampleRun({ runId: "run-8", status: "succeeded", createdAtMs: T0, finishedAtMs: T0 + 50_000 })),
  summaryOfRun(sampleRun({ runId: "run-7", status: "cancelled", createdAtMs: T0 - 9_000, finishedAtMs: T0 })),
];

function idsOf(json: string): readonly string[] {
  const runs: readonly { runId: string; status: string }[] = JSON.parse(json);
  return runs.map(({ runId, status }) => `${runId} ${status}`);
}

const ALL = ["run-9 running", "run-8 succeeded", "run-7 cancelled"];

describe("issue 14.6: runs", () => {
  it("lists the open and the past runs, newest first", async () => {
    await using world = await testWorld();
    await using _ = await testServer(world.dataDir, ({ route }) => ({
      body: route === "GET /past.json" ? past : open,
    }));
    expect(await main(world.context(["runs", "--json"]))).toBe(0);
    expect(idsOf(world.stdout())).toEqual(ALL);
    expect(await main(world.context(["runs"]))).toBe(0);
    expect(world.stdout()).toContain("nightly (run-9) on relay.example:443: running");
  });

  it("without a process, from what the last one left in the data folder", async () => {
    await using world = await testWorld();
    await writeFile(join(world.dataDir, "runs.json"), JSON.stringify([open]));
    await writeFile(join(world.dataDir, "past.json"), JSON.stringify(past));
    expect(await main(world.context(["runs", "--json"]))).toBe(0);
    expect(idsOf(world.stdout())).toEqual(ALL);
  });

  it("says how to begin where nothing has ever run", async () => {
    await using world = await testWorld();
    expect(await main(world.context(["runs"]))).toBe(0);
    expect(world.stdout()).toBe("No run yet. Begin one with: firehose-backfill start --days 1\n");
  });

  it("of a process of a version that knows one run, lists that one", async () => {
    await using world = await testWorld();
    await using _ = await testServer(world.dataDir, ({ route }) =>
      route === "GET /status.json" ? { body: open } : { status: 404, body: { ok: false, error: "no" } },
    );
    expect(await main(world.context(["runs", "--json"]))).toBe(0);
    expect(idsOf(world.stdout())).toEqual(["run-9 running"]);
  });
});
