import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stoppedSnapshot } from "@firehose-backfill/status/stored-snapshot";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { describe, expect, it } from "vitest";
import { main } from "../main.ts";
import { testServer } from "@firehose-backfill/testing/cli/answering-server";
import { testWorld } from "@firehose-backfill/testing/cli/world";

const NO_WAIT = { now: () => 0, sleep: () => Promise.resolve() };

describe("status", () => {
  it("shows what the process says", async () => {
    await using world = await testWorld();
    await using server = await testServer(world.dataDir, () => ({
      body: sampleSnapshot({ dead: 0, deadReasons: {} }),
    }));
    expect(await main(world.context(["status"]))).toBe(0);
    expect(server.asked.map(({ route }) => route)).toEqual(["GET /status.json"]);
    expect(world.stdout()).toMatch(/^firehose-backfill: running - relay\.example:443/);
    expect(world.stdout()).toContain("\nevents   28,120 received");
    expect(world.stdout()).not.toContain("\u001b");
  });

  it("--json is one line, and the whole snapshot", async () => {
    await using world = await testWorld();
    await using _ = await testServer(world.dataDir, () => ({ body: sampleSnapshot({ dead: 0, deadReasons: {} }) }));
    expect(await main(world.context(["status", "--json"]))).toBe(0);
    expect(world.stdout().trimEnd()).not.toContain("\n");
    expect(JSON.parse(world.stdout())).toEqual(sampleSnapshot({ dead: 0, deadReasons: {} }));
  });

  it("shows what a process that is gone last knew, marked stopped", async () => {
    await using world = await testWorld();
    await writeFile(join(world.dataDir, "snapshot.json"), JSON.stringify(sampleSnapshot({ dead: 0, deadReasons: {} })));
    expect(await main(world.context(["status", "--json"]))).toBe(0);
    expect(JSON.parse(world.stdout())).toEqual(stoppedSnapshot(sampleSnapshot({ dead: 0, deadReasons: {} })));
    expect(await main(world.context(["status"]))).toBe(0);
    expect(world.stdout()).toContain("stopped: the process is gone");
  });

  it("says how to begin where nothing has ever run", async () => {
    await using world = await testWorld();
    expect(await main(world.context(["status"]))).toBe(1);
    expect(world.stderr()).toBe(
      `firehose-backfill: no run has been started on ${world.dataDir} yet; begin one with: firehose-backfill run\n`,
    );
  });

  it("does not take another service's answer for a status", async () => {
    await using world = await testWorld();
    await using _ = await testServer(world.dataDir, () => ({ body: { status: "ok" } }));
    expect(await main(world.context(["status"]))).toBe(1);
    expect(world.stderr()).toContain("/status.json answered 200, and the answer is not a status");
  });

  it.each([
    [{}, "\u001b[32mrunning\u001b[0m"],
    [{ NO_COLOR: "1" }, "firehose-backfill: running"],
    [{ TERM: "dumb" }, "firehose-backfill: running"],
  ])("on a terminal with %j", async (env, shown) => {
    await using world = await testWorld({ env, isTerminal: true });
    await using _ = await testServer(world.dataDir, () => ({ body: sampleSnapshot({ dead: 0, deadReasons: {} }) }));
    await main(world.context(["status"]));
    expect(world.stdout()).toContain(shown);
  });
});

describe("issue 14.6: status of several runs", () => {
  const first = sampleSnapshot({ dead: 0, deadReasons: {}, runId: "run-1", name: "history" });
  const second = sampleSnapshot({ dead: 0, deadReasons: {}, runId: "run-2" });
  const shown: Readonly<Record<string, unknown>> = {
    "GET /status.json": { ...second, openRuns: 2 },
    "GET /runs.json": [first, second],
    "GET /status.json?run=history": first,
  };
  const serve = (dataDir: string) =>
    testServer(dataDir, ({ route }) =>
      shown[route] === undefined ? { status: 404, body: { ok: false } } : { body: shown[route] },
    );

  it("is the list; with --run one of them", async () => {
    await using world = await testWorld();
    await using _ = await serve(world.dataDir);
    expect(await main(world.context(["status"]))).toBe(0);
    expect(world.stdout()).toMatch(/^firehose-backfill: 2 runs are open: 2 without trouble\n/);
    expect(world.stdout().indexOf("run-2 on")).toBeLessThan(world.stdout().indexOf("history (run-1) on"));
    expect(await main(world.context(["status", "--run", "history"]))).toBe(0);
    expect(world.stdout()).toContain("firehose-backfill: running - relay.example:443 - background - run-1");
  });

  it("--json is an array only with --all; without it, it says which runs there are", async () => {
    await using world = await testWorld();
    await using _ = await serve(world.dataDir);
    expect(await main(world.context(["status", "--json"]))).toBe(2);
    expect(world.stderr()).toContain("2 runs are open: status --json --all shows each, --run one of them");
    expect(world.stderr()).toContain("  history (run-1) on relay.example:443");
    expect(world.stdout()).toBe("");
    expect(await main(world.context(["status", "--json", "--all"]))).toBe(0);
    expect(JSON.parse(world.stdout())).toEqual([first, second]);
    expect(await main(world.context(["status", "--json", "--all", "--run", "history"]))).toBe(2);
  });

  it("--json --all is an array where one run is open, too", async () => {
    await using world = await testWorld();
    await using _ = await testServer(world.dataDir, () => ({ body: first }));
    expect(await main(world.context(["status", "--json", "--all"]))).toBe(0);
    expect(JSON.parse(world.stdout())).toEqual([first]);
  });

  it("--run with a name that no run has is a mistake of the command", async () => {
    await using world = await testWorld();
    await using _ = await serve(world.dataDir);
    expect(await main(world.context(["status", "--run", "nightly"]))).toBe(2);
    expect(world.stderr()).toContain("no run has the id or the name nightly: firehose-backfill runs lists them");
  });

  it("is what a process that is gone last knew of each", async () => {
    await using world = await testWorld();
    await writeFile(join(world.dataDir, "runs.json"), JSON.stringify([first, second]));
    await writeFile(join(world.dataDir, "snapshot.json"), JSON.stringify(second));
    expect(await main(world.context(["status", "--json", "--all"]))).toBe(0);
    expect(JSON.parse(world.stdout())).toEqual([stoppedSnapshot(first), stoppedSnapshot(second)]);
    expect(await main(world.context(["status", "--run", "run-1"]))).toBe(0);
    expect(world.stdout()).toContain("stopped: the process is gone");
    expect(await main(world.context(["status", "--run", "nightly"]))).toBe(2);
  });

  it("--watch ends when every run is over", async () => {
    await using world = await testWorld();
    await using _ = await testServer(world.dataDir, ({ route }) => ({
      body:
        route === "GET /runs.json"
          ? [first, second].map((run) => ({ ...run, status: "succeeded" }))
          : { ...second, openRuns: 2 },
    }));
    expect(await main(world.context(["status", "--watch", "--json", "--all"], { clock: NO_WAIT }))).toBe(0);
    const lists: unknown = JSON.parse(world.stdout());
    expect(lists).toHaveLength(2);
  });
});

describe("status --watch", () => {
  const steps = [
    sampleSnapshot({ dead: 0, received: 1, at: "2026-03-01T12:00:01.000Z" }),
    sampleSnapshot({ dead: 0, received: 1, at: "2026-03-01T12:00:01.000Z" }),
    sampleSnapshot({ dead: 0, received: 2, at: "2026-03-01T12:00:02.000Z" }),
    sampleSnapshot({ dead: 0, received: 3, at: "2026-03-01T12:00:03.000Z", status: "succeeded" }),
  ];

  it("prints what is new until the run is over", async () => {
    await using world = await testWorld();
    const left = [...steps];
    await using _ = await testServer(world.dataDir, () => ({ body: left.shift() }));
    expect(await main(world.context(["status", "--watch", "--json"], { clock: NO_WAIT }))).toBe(0);
    const lines = world.stdout().trimEnd().split("\n");
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([steps[0], steps[2], steps[3]]);
    expect(left).toEqual([]);
  });

  it("redraws one block on a terminal", async () => {
    await using world = await testWorld({ isTerminal: true, env: { NO_COLOR: "1" } });
    const left = [...steps];
    await using _ = await testServer(world.dataDir, () => ({ body: left.shift() }));
    await main(world.context(["status", "--watch"], { clock: NO_WAIT }));
    expect(world.stdout().split("\u001b[9A\u001b[0J")).toHaveLength(4);
  });

  it("ends with the process, showing what it last knew", async () => {
    await using world = await testWorld();
    await writeFile(join(world.dataDir, "snapshot.json"), JSON.stringify(sampleSnapshot({ dead: 0, deadReasons: {} })));
    expect(await main(world.context(["status", "--watch"], { clock: NO_WAIT }))).toBe(0);
    expect(world.stdout().match(/stopped/g)).toHaveLength(1);
  });

  it("ends at Ctrl-C, and listens no longer", async () => {
    await using world = await testWorld();
    await using _ = await testServer(world.dataDir, () => ({ body: sampleSnapshot({ dead: 0, deadReasons: {} }) }));
    const clock = { now: () => 0, sleep: async () => world.signal("SIGINT") };
    expect(await main(world.context(["status", "--watch"], { clock }))).toBe(0);
    expect(world.listeners()).toBe(0);
  });
});
