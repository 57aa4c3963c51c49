/** The commands that steer a run: the event that each sends, and its reaction to the answer. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { describe, expect, it } from "vitest";
import { main } from "../main.ts";
import { testServer, type Answer } from "@firehose-backfill/testing/cli/answering-server";
import { testWorld, type WorldOptions } from "@firehose-backfill/testing/cli/world";

const DONE: Answer = { body: { ok: true, message: "run-1 is pausing" } };

async function steer(argv: readonly string[], answer = DONE, options: WorldOptions = {}) {
  await using world = await testWorld(options);
  await using server = await testServer(world.dataDir, () => answer);
  const exitCode = await main(world.context(argv));
  return { exitCode, stdout: world.stdout(), stderr: world.stderr(), asked: server.asked };
}

describe("a control command", () => {
  it.each([
    [["pause"], { action: "pause" }],
    [["pause", "--now"], { action: "pause", now: true }],
    [["resume"], { action: "resume" }],
    [["resume", "--from", "oldest"], { action: "resume", from: "oldest" }],
    [["cancel"], { action: "cancel" }],
    [["redrive"], { action: "redrive" }],
    [["redrive", "--run", "nightly"], { action: "redrive", run: "nightly" }],
    [["redrive", "--reason", "float"], { action: "redrive", reason: "float" }],
    [["pause", "--run", "nightly"], { action: "pause", run: "nightly" }],
    [["resume", "--run", "nightly"], { action: "resume", run: "nightly" }],
    [["cancel", "--run", "nightly"], { action: "cancel", run: "nightly" }],
    [["start", "--name", "nightly"], { action: "start", name: "nightly" }],
    [["tick"], { action: "tick" }],
    [
      ["tune", "BACKFILL_BATCH_DELAY_MS=4000", "BACKFILL_USE_IDLE=false", "BACKFILL_PROFILE=fast"],
      {
        action: "tune",
        settings: { BACKFILL_BATCH_DELAY_MS: 4000, BACKFILL_USE_IDLE: false, BACKFILL_PROFILE: "fast" },
      },
    ],
    [["start"], { action: "start" }],
    [["start", "--days", "-1", "--new", "--dry-run"], { action: "start", days: "-1", new: true, dryRun: true }],
    [
      [
        "start",
        "--from=5",
        "--to",
        "2026-01-31T08:00:00Z",
        "--profile",
        "moderate",
        "--collections",
        "app.bsky.feed.post,app.bsky.graph.*",
      ],
      {
        action: "start",
        from: "5",
        to: "2026-01-31T08:00:00Z",
        profile: "moderate",
        collections: ["app.bsky.feed.post", "app.bsky.graph.*"],
      },
    ],
  ])("%j sends %j", async (argv, event) => {
    const { exitCode, stdout, stderr, asked } = await steer(argv);
    expect(asked).toEqual([{ route: "POST /control", contentType: "application/json", body: event }]);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: "run-1 is pausing\n", stderr: "" });
  });

  it("reads the files that it is given itself", async () => {
    const files = { "accounts.txt": "did:plc:a # me\ndid:plc:b\n" };
    const { asked } = await steer(["start", "--dids", "@accounts.txt"], DONE, { files });
    expect(asked[0]?.body).toEqual({ action: "start", dids: ["did:plc:a", "did:plc:b"] });
  });

  it("is refused by the run's state with 1, by its own sense with 2", async () => {
    const refused = await steer(["resume"], { status: 409, body: { ok: false, error: "run-1 is running" } });
    expect(refused).toMatchObject({ exitCode: 1, stdout: "", stderr: "firehose-backfill: run-1 is running\n" });
    const wrong = await steer(["tune", "BACKFILL_BATCH_SIZE=0"], {
      status: 400,
      body: { ok: false, error: "first\nsecond\u001b[2J" },
    });
    expect(wrong).toMatchObject({ exitCode: 2, stderr: "firehose-backfill: first\nsecond\\u001b[2J\n" });
  });

  it("issue 14.1: exits 2 where several runs are open and none is named, and shows the list", async () => {
    const error =
      "2 runs are open: say which one to pause with --run ID or --run NAME. Open runs:\nid-1  -  a\nid-2  -  b";
    const wrong = await steer(["pause"], { status: 400, body: { ok: false, error } });
    expect(wrong).toMatchObject({ exitCode: 2, stdout: "", stderr: `firehose-backfill: ${error}\n` });
  });

  it("says so when something else answers", async () => {
    const { exitCode, stderr } = await steer(["pause"], { status: 404, body: { hello: "world" } });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/\/control answered 404, and the answer is not one to a control event/);
  });

  it.each([
    [
      ["pause"],
      "nothing is read or applied, so there is nothing to pause. To continue the unfinished run, or to begin one: firehose-backfill run",
    ],
    [
      ["tick"],
      "no reader is running, so there is none to call. To continue the unfinished run, or to begin one: firehose-backfill run",
    ],
  ])("fault 33: %j without a process says what that means, and what to do", async (argv, why) => {
    await using world = await testWorld();
    expect(await main(world.context(argv))).toBe(1);
    expect(world.stderr()).toBe(`firehose-backfill: no process is running on ${world.dataDir}: ${why}\n`);
  });

  it.each([[["resume"]], [["cancel"]], [["redrive"]], [["tune", "BACKFILL_BATCH_SIZE=1"]]])(
    "fault 33: %j where nothing has been run begins nothing, and says how to begin",
    async (argv) => {
      await using world = await testWorld();
      expect(await main(world.context(argv))).toBe(1);
      expect(world.stderr()).toMatch(/no run has been started on .* yet.*egin one with: firehose-backfill run\n$/);
    },
  );

  it.each([
    [["cancel"], { action: "cancel" }],
    [["redrive"], { action: "redrive" }],
    [["tune", "BACKFILL_BATCH_SIZE=1"], { action: "tune", settings: { BACKFILL_BATCH_SIZE: 1 } }],
  ])("fault 33: %j without a process is done here", async (argv, event) => {
    await using world = await testWorld();
    await writeFile(join(world.dataDir, "snapshot.json"), JSON.stringify(sampleSnapshot()));
    const events: unknown[] = [];
    const steerHere = (options: { readonly event: unknown }) => {
      events.push(options.event);
      return Promise.resolve({ message: "it is done", run: null });
    };
    expect(await main(world.context(argv, { loadSteering: () => Promise.resolve({ steerHere }) }))).toBe(0);
    expect(events).toEqual([event]);
    expect(world.stdout()).toBe("it is done\n");
  });

  it.each([
    [["resume"], { from: null }],
    [["resume", "--from", "oldest", "--until-done"], { from: "oldest" }],
  ])("fault 33: %j without a process goes on with the run here, and begins none", async (argv, resume) => {
    const asked: unknown[] = [];
    await using world = await testWorld({
      runServer: (options) => {
        asked.push({ resume: options.resume, start: options.start });
        return Promise.resolve({ exit: "done", message: null, snapshot: null });
      },
    });
    await writeFile(join(world.dataDir, "snapshot.json"), JSON.stringify(sampleSnapshot({ status: "errored" })));
    expect(await main(world.context(argv))).toBe(0);
    expect(asked).toEqual([{ resume, start: undefined }]);
  });

  it("does not go to the port of a process that is gone", async () => {
    await using world = await testWorld();
    const file = { pid: 2 ** 22 + 1, port: 1, startedAt: "2026-01-01T00:00:00Z", started: null };
    await writeFile(join(world.dataDir, "server.json"), JSON.stringify(file));
    expect(await main(world.context(["pause"]))).toBe(1);
    expect(world.stderr()).toContain("no process is running on");
  });

  it("says so when the process does not answer", async () => {
    await using world = await testWorld();
    await using server = await testServer(world.dataDir, () => DONE);
    const unreachable = () =>
      Promise.reject(new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") }));
    expect(await main(world.context(["pause"], { fetch: unreachable }))).toBe(1);
    expect(world.stderr()).toContain(`${server.url} does not answer: `);
    expect(world.stderr()).toContain("ECONNREFUSED");
  });
});
