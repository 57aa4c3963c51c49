import type { RunResult, RunServerOptions } from "@firehose-backfill/server/run-server";
import { ConfigError } from "@firehose-backfill/core/errors";
import { AlreadyRunningError } from "@firehose-backfill/embedded/data-dir";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { describe, expect, it } from "vitest";
import { main } from "../main.ts";
import { testWorld, type WorldOptions } from "@firehose-backfill/testing/cli/world";

type Serve = (options: RunServerOptions) => Promise<RunResult>;

function ends(exit: RunResult["exit"], message: string | null = null): Serve {
  return () => Promise.resolve({ exit, message, snapshot: null });
}

async function run(argv: readonly string[], runServer: Serve, options: WorldOptions = {}) {
  await using world = await testWorld({ ...options, runServer });
  const exitCode = await main(world.context(argv));
  return { exitCode, stdout: world.stdout(), stderr: world.stderr() };
}

describe("run", () => {
  it.each([
    ["done", 0],
    ["cancelled", 0],
    ["done-with-dead", 3],
    ["errored", 1],
    ["paused", 1],
  ] as const)("that ends as %s exits with %i, and says why", async (exit, exitCode) => {
    const result = await run(["run", "--until-done"], ends(exit, "the reason"));
    expect(result).toEqual({ exitCode, stdout: "", stderr: "firehose-backfill: the reason\n" });
  });

  it("hands its options on", async () => {
    const given: RunServerOptions[] = [];
    const serve: Serve = (options) => (given.push(options), ends("done")(options));
    await run(["run"], serve, { env: { BACKFILL_BATCH_SIZE: "7" } });
    await run(["run", "--until-done", "--consumers", "process"], serve);
    expect(given.map(({ untilDone, consumers }) => ({ untilDone, consumers }))).toEqual([
      { untilDone: false, consumers: "in-process" },
      { untilDone: true, consumers: "process" },
    ]);
    expect(given[0]?.config.settings.batchSize).toBe(7);
    expect(given[0]?.configure({ BACKFILL_DAYS: "3" }).settings).toMatchObject({ batchSize: 7, days: 3 });
    expect(() => given[0]?.configure({ BACKFILL_DAYS: "x" })).toThrow(ConfigError);
  });

  it("prints log lines on stderr, and with --json a snapshot a line on stdout", async () => {
    const serve: Serve = async ({ log, onSnapshot, onTick }) => {
      log("[BACKFILL] Progress: 1");
      onTick?.(sampleSnapshot({ dead: 0, deadReasons: {} }));
      onSnapshot(sampleSnapshot({ dead: 0, deadReasons: {} }), "progress");
      onSnapshot(sampleSnapshot({ status: "succeeded" }), "final");
      return { exit: "done", message: null, snapshot: null };
    };
    const { stdout, stderr } = await run(["run", "--json"], serve);
    expect(stderr).toBe("[BACKFILL] Progress: 1\n");
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line): unknown => JSON.parse(line)),
    ).toEqual([sampleSnapshot({ dead: 0, deadReasons: {} }), sampleSnapshot({ status: "succeeded" })]);
    expect((await run(["run"], serve)).stdout).toBe("");
  });

  it("on a terminal redraws one block, with the lines above it", async () => {
    const serve: Serve = async ({ log, onSnapshot, onTick }) => {
      onTick?.(sampleSnapshot({ dead: 0, deadReasons: {} }));
      log("[BACKFILL] above");
      onSnapshot(sampleSnapshot({ status: "succeeded" }), "final");
      return { exit: "done", message: null, snapshot: null };
    };
    const { stdout, stderr } = await run(["run"], serve, { isTerminal: true, env: { NO_COLOR: "1" } });
    expect(stdout).toBe("");
    const draws = stderr.split("\u001b[9A\u001b[0J");
    expect(draws).toHaveLength(3);
    expect(draws[0]).toMatch(/^firehose-backfill: running/);
    expect(draws[1]).toMatch(/^\[BACKFILL\] above\nfirehose-backfill: running/);
    expect(draws[2]).toMatch(/^firehose-backfill: succeeded/);
  });

  it("issue 14.6: on a terminal draws a line for each of several runs", async () => {
    const runs = ["long", "nightly"].map((name) => sampleSnapshot({ name, dead: 0, deadReasons: {} }));
    const serve: Serve = async ({ onTick }) => {
      onTick?.(sampleSnapshot(), runs);
      onTick?.(sampleSnapshot({ dead: 0, deadReasons: {} }), [sampleSnapshot()]);
      return { exit: "done", message: null, snapshot: null };
    };
    const { stderr } = await run(["run"], serve, { isTerminal: true, env: { NO_COLOR: "1" } });
    const [several = "", one = ""] = stderr.split("\u001b[3A\u001b[0J");
    expect(several.trim().split("\n")).toEqual([
      "firehose-backfill: 2 runs are open: 2 without trouble",
      expect.stringMatching(/^running 54\.1 % nightly on relay\.example:443: 2\.49 evt/),
      expect.stringMatching(/^running 54\.1 % long on/),
    ]);
    expect(one).toMatch(/^firehose-backfill: running/);
  });

  it("does not draw over JSON on the same terminal", async () => {
    const serve: Serve = async ({ onTick }) => {
      onTick?.(sampleSnapshot({ dead: 0, deadReasons: {} }));
      return { exit: "done", message: null, snapshot: null };
    };
    expect((await run(["run", "--json"], serve, { isTerminal: true })).stderr).toBe("");
  });

  it.each([
    [new ConfigError(["DATABASE_URL is wrong"]), 2, "firehose-backfill: DATABASE_URL is wrong\n"],
    [
      new AlreadyRunningError(7, "http://127.0.0.1:1"),
      1,
      "firehose-backfill: already running, pid 7, http://127.0.0.1:1\n",
    ],
    [
      new Error("unforeseen", { cause: new Error("deeper") }),
      1,
      "firehose-backfill: Error: unforeseen, because of Error: deeper\n",
    ],
  ])("that cannot start says %s once, without a stack", async (error, exitCode, stderr) => {
    const serve: Serve = async () => {
      throw error;
    };
    expect(await run(["run"], serve)).toEqual({ exitCode, stdout: "", stderr });
  });
});

describe("signals", () => {
  /** A server that stops when asked. */
  const untilStopped: Serve = ({ stop }) =>
    new Promise((resolve) => {
      stop.addEventListener("abort", () => resolve({ exit: "stopped", message: null, snapshot: null }));
    });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s stops gracefully and exits with %i", async (signal, exitCode) => {
    await using world = await testWorld({ runServer: untilStopped });
    const running = main(world.context(["run"]));
    await expect.poll(world.listeners).toBe(2);
    world.signal(signal);
    expect(await running).toBe(exitCode);
    expect(world.exits).toEqual([]);
    expect(world.stderr()).toContain("finishing and saving the current batch");
    expect(world.listeners()).toBe(0);
  });

  it("the second ends it at once; the same one delivered twice is one", async () => {
    let nowMs = 1_000;
    await using world = await testWorld({ runServer: () => new Promise(() => {}) });
    void main(world.context(["run"], { clock: { now: () => nowMs, sleep: () => Promise.resolve() } }));
    await expect.poll(world.listeners).toBe(2);
    world.signal("SIGINT");
    nowMs += 30;
    world.signal("SIGINT");
    expect(world.exits).toEqual([]);
    nowMs += 500;
    world.signal("SIGTERM");
    expect(world.exits).toEqual([143]);
  });

  it("while it is still starting: what fails then is a consequence", async () => {
    const serve: Serve = ({ stop }) =>
      new Promise((_, reject) => {
        stop.addEventListener("abort", () => reject(new Error("half started")));
      });
    await using world = await testWorld({ runServer: serve });
    const running = main(world.context(["run"]));
    await expect.poll(world.listeners).toBe(2);
    world.signal("SIGINT");
    expect(await running).toBe(130);
    expect(world.stderr()).toContain("stopped while starting: Error: half started");
  });
});

describe("start, where no process is there", () => {
  it("does the run itself", async () => {
    const given: RunServerOptions[] = [];
    const serve: Serve = (options) => (given.push(options), ends("done")(options));
    const { exitCode, stderr } = await run(["start", "--new", "--days", "3"], serve);
    expect(exitCode).toBe(0);
    expect(stderr).toContain("No process is running, so this one does the work.");
    expect(given[0]?.start).toEqual({ days: "3", isNew: true, isDryRun: false });
  });

  it("does not do a dry run by running", async () => {
    const { exitCode, stderr } = await run(["start", "--dry-run"], () => Promise.reject(new Error("it ran")));
    expect(exitCode).toBe(1);
    expect(stderr).toContain("--dry-run asks the process that would do the work");
  });
});
