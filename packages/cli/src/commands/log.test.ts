/** `log`: what is shown of who did what, of which run, and what is said where there is nothing. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { testServer } from "@firehose-backfill/testing/cli/answering-server";
import { testWorld } from "@firehose-backfill/testing/cli/world";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { describe, expect, it } from "vitest";
import { main } from "../main.ts";

const ESC = String.fromCodePoint(27);
const acted = sampleSnapshot({
  runId: "run-9",
  name: "nightly",
  actions: [
    { at: "2026-03-01T10:00:00.000Z", what: "start", by: "command", detail: "" },
    { at: "2026-03-01T12:00:00.000Z", what: "pause", by: "page", detail: `late${ESC}[31m\nshift` },
  ],
  tunes: [
    {
      at: "2026-03-01T11:00:00.000Z",
      by: "tune",
      who: "control event",
      pending: false,
      changes: { BACKFILL_BATCH_SIZE: { from: 5, to: 50 } },
    },
  ],
});

describe("issue 17.5: log", () => {
  it("issue 17.5: shows actions and changes of the pace in one list, oldest first, escaped", async () => {
    await using world = await testWorld();
    await using _ = await testServer(world.dataDir, () => ({ body: acted }));
    expect(await main(world.context(["log"]))).toBe(0);
    expect(world.stdout().split("\n")).toEqual([
      "2026-03-01 10:00:00  start by command",
      "2026-03-01 11:00:00  tune by control event: BACKFILL_BATCH_SIZE 5 -> 50",
      String.raw`2026-03-01 12:00:00  pause by page: late\u001b[31m\nshift`,
      "",
    ]);
  });

  it("issue 17.5: with --json each line says of which run it is", async () => {
    await using world = await testWorld();
    await using _ = await testServer(world.dataDir, () => ({ body: acted }));
    expect(await main(world.context(["log", "--json"]))).toBe(0);
    const lines = world.stdout().trim().split("\n");
    expect(lines).toHaveLength(3);
    expect(JSON.parse(lines[1] ?? "")).toEqual({
      run: "run-9",
      at: "2026-03-01T11:00:00.000Z",
      what: "tune",
      by: "control event",
      detail: "BACKFILL_BATCH_SIZE 5 -> 50",
    });
  });

  it("issue 17.5: asks for the run that is named", async () => {
    await using world = await testWorld();
    const asked: string[] = [];
    await using _ = await testServer(world.dataDir, ({ route }) => {
      asked.push(route);
      return { body: acted };
    });
    expect(await main(world.context(["log", "--run", "nightly"]))).toBe(0);
    expect(asked.some((route) => route.includes("run=nightly"))).toBe(true);
  });

  it("issue 17.5: without a process it shows what the last one left, and says where nothing has run", async () => {
    await using world = await testWorld();
    expect(await main(world.context(["log"]))).toBe(1);
    expect(world.stderr()).toContain("no run has been started yet");
    await writeFile(join(world.dataDir, "snapshot.json"), JSON.stringify(acted));
    await writeFile(join(world.dataDir, "runs.json"), JSON.stringify([acted]));
    expect(await main(world.context(["log"]))).toBe(0);
    expect(world.stdout()).toContain("pause by page");
    expect(await main(world.context(["log", "--run", "other"]))).toBe(1);
    expect(world.stderr()).toContain("other");
  });

  it("issue 17.5: of a run that nobody has touched it says so, on stderr", async () => {
    await using world = await testWorld();
    await using _ = await testServer(world.dataDir, () => ({
      body: sampleSnapshot({ runId: "run-9", actions: [], tunes: [] }),
    }));
    expect(await main(world.context(["log"]))).toBe(0);
    expect([world.stdout(), world.stderr()]).toEqual(["", "Nobody has done anything to run run-9.\n"]);
  });
});
