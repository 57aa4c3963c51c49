/** `start --since-last`, the function and the command. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StartRequest } from "@firehose-backfill/backfill/control-event";
import { sampleEmptySnapshot, sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { describe, expect, it } from "vitest";
import { main } from "./main.ts";
import { sinceLast } from "./since-last.ts";
import { testServer } from "@firehose-backfill/testing/cli/answering-server";
import { testWorld } from "@firehose-backfill/testing/cli/world";

const plain: StartRequest = { isNew: false, isDryRun: false };
const done = sampleSnapshot({ status: "succeeded", host: "relay.example" });

describe("since last", () => {
  it("a finished run: after its end; a cancelled one: after what it applied", () => {
    expect(sinceLast(done, plain, "relay.example")).toMatchObject({ kind: "begin", from: "4215000" });
    const cancelled = sampleSnapshot({ status: "cancelled" });
    expect(sinceLast(cancelled, plain, null)).toMatchObject({ kind: "begin", from: "4161900" });
  });

  it("after the bundled sample there is nothing: no run begins that would wait for a silent host and fail", async () => {
    const last = sampleSnapshot({ status: "succeeded", host: "sample" });
    const note = `run ${last.runId} has applied the bundled sample to its end, and nothing comes after it. To replay it: firehose-backfill start`;
    expect(sinceLast(last, plain, "sample")).toEqual({ kind: "nothing", note });
    expect(sinceLast({ ...last, status: "cancelled" }, plain, "sample")).toMatchObject({ kind: "begin" });
    await using world = await testWorld({ runServer: () => Promise.reject(new Error("it ran")) });
    await writeFile(join(world.dataDir, "snapshot.json"), JSON.stringify(last));
    expect(await main(world.context(["start", "--since-last", "--until-done"]))).toBe(0);
    expect(world.stderr()).toBe(`Since last: ${note}.\n`);
  });

  it("none: as the settings say; an unfinished one goes on", () => {
    expect(sinceLast(null, plain, "x")).toMatchObject({ kind: "begin", from: null });
    expect(sinceLast(sampleEmptySnapshot(), plain, "x")).toMatchObject({ kind: "begin", from: null });
    expect(sinceLast(sampleSnapshot({ status: "paused" }), plain, "x")).toMatchObject({ kind: "go-on" });
  });

  it("refuses another host's numbers, and a second place to begin", () => {
    expect(() => sinceLast(done, plain, "other.example")).toThrow("are valid on one host only");
    expect(() => sinceLast(done, { ...plain, days: "1" }, "relay.example")).toThrow("leave out --days");
  });
});

describe("start --since-last", () => {
  it("without a process does the run here, from there", async () => {
    const starts: unknown[] = [];
    await using world = await testWorld({
      env: { RELAY_URL: "wss://relay.example" },
      runServer: (options) => {
        starts.push(options.start);
        return Promise.resolve({ exit: "done", message: null, snapshot: null });
      },
    });
    await writeFile(join(world.dataDir, "snapshot.json"), JSON.stringify(done));
    expect(await main(world.context(["start", "--since-last", "--until-done"]))).toBe(0);
    await writeFile(join(world.dataDir, "snapshot.json"), JSON.stringify({ ...done, status: "running" }));
    expect(await main(world.context(["start", "--since-last", "--until-done"]))).toBe(0);
    expect(starts).toEqual([{ from: "4215000", isNew: false, isDryRun: false }, undefined]);
    expect(world.stderr()).toContain("Since last: after run run-20260301-0900-k3");
    expect(world.stderr()).toContain("is not finished (running) and continues");
  });

  it("with a process sends it", async () => {
    await using world = await testWorld({ env: { RELAY_URL: "wss://relay.example" } });
    await using server = await testServer(world.dataDir, ({ route }) =>
      route === "GET /status.json" ? { body: done } : { body: { ok: true, message: "run-2 is enqueued" } },
    );
    expect(await main(world.context(["start", "--since-last"]))).toBe(0);
    expect(server.asked.at(-1)?.body).toEqual({ action: "start", from: "4215000" });
  });
});
