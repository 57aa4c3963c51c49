/** What a process prints and stores for several runs: a line for each with its name, one file for all, and a history for each. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { summaryOfSnapshot } from "@firehose-backfill/status/run-summary";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { expect, test, vi } from "vitest";
import { keepSnapshots } from "./snapshot-keeper.ts";
import { historyFileOf, readHistory, RUNS_FILE, SNAPSHOT_FILE, snapshotFileOf } from "./state-files.ts";

const LONG = sampleSnapshot({ runId: "20260301-090000-aaaa", name: null, received: 100 });
const NIGHTLY = sampleSnapshot({ runId: "20260301-230000-bbbb", name: "nightly", received: 200 });

async function keep(first: readonly Snapshot[]) {
  const dataDir = await mkdtemp(join(tmpdir(), "firehose-backfill-keeper-"));
  const clock = new VirtualClock();
  const ending = new AbortController();
  const lines: string[] = [];
  const told: (readonly [string | null, string])[] = [];
  let now = first;
  let collected = 0;
  const keeper = keepSnapshots({
    dataDir,
    clock,
    collect: async () => {
      collected += 1;
      return now;
    },
    // Finished runs stay in the list, and their files stay, too.
    past: async () => [LONG, NIGHTLY].flatMap((snapshot) => summaryOfSnapshot(snapshot) ?? []),
    log: (line) => void lines.push(line),
    onTick: () => {},
    onSnapshot: ({ runId }, kind) => void told.push([runId, kind]),
    signal: ending.signal,
  });
  return {
    keeper,
    lines,
    told,
    /** The files are written with real calls, whose end the test cannot see, so it waits for this many snapshots. */
    looks: (count: number) => {
      const before = collected;
      return vi.waitFor(async () => {
        await clock.advance(1_000);
        expect(collected).toBeGreaterThanOrEqual(before + count);
      });
    },
    become: (snapshots: readonly Snapshot[]) => void (now = snapshots),
    json: async (name: string): Promise<unknown> => JSON.parse(await readFile(join(dataDir, name), "utf8")),
    historyOf: (runId: string) => readHistory(dataDir, historyFileOf(runId)),
    async [Symbol.asyncDispose]() {
      ending.abort();
      await clock.advance(1_000);
      await keeper.done;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

test("issue 14.1: the lines of several runs end with the run they speak of; those of one run are as they were", async () => {
  await using both = await keep([LONG, NIGHTLY]);
  await both.keeper.finish();
  const progress = both.lines.filter((line) => line.includes("Progress"));
  expect(progress).toHaveLength(2);
  expect(progress[0]).toMatch(/ \[run 20260301-090000-aaaa\]$/);
  expect(progress[1]).toMatch(/ \[run nightly\]$/);
  expect(both.lines.filter((line) => line.includes("Memory")).map((line) => / \[run .*$/.exec(line)?.[0])).toEqual([
    " [run 20260301-090000-aaaa]",
    " [run nightly]",
  ]);

  await using one = await keep([NIGHTLY]);
  await one.keeper.finish();
  expect(one.lines.join("\n")).not.toContain("[run");
});

test("issue 14.1: all runs are kept as a list, the last one as the one that is shown, named ones by name, and each has a history", async () => {
  await using its = await keep([LONG, NIGHTLY]);
  await its.keeper.finish();
  expect(await its.json(RUNS_FILE)).toMatchObject([{ runId: LONG.runId }, { runId: NIGHTLY.runId }]);
  expect(await its.json(SNAPSHOT_FILE)).toMatchObject({ runId: NIGHTLY.runId });
  expect(await its.json(snapshotFileOf("nightly"))).toMatchObject({ runId: NIGHTLY.runId, received: 200 });
  expect(its.keeper.history().runId).toBe(NIGHTLY.runId);
  expect(its.keeper.history(LONG.runId ?? "").runId).toBe(LONG.runId);
  expect((await its.historyOf(LONG.runId ?? ""))?.runId).toBe(LONG.runId);
});

test("issue 14.1: a run that ends beside another one is told once, and the other one goes on", async () => {
  await using its = await keep([LONG, NIGHTLY]);
  const ofNightly = () => its.lines.filter((line) => line.includes("Progress") && line.endsWith("[run nightly]"));
  await its.looks(3);
  expect(ofNightly()).toEqual([]);
  its.become([LONG, { ...NIGHTLY, status: "succeeded" }]);
  await its.looks(3);
  expect(ofNightly()).toHaveLength(1);
  its.become([LONG]);
  await its.looks(3);
  expect(ofNightly()).toHaveLength(1);
  expect(await its.json(RUNS_FILE)).toMatchObject([{ runId: LONG.runId }]);
  // The file with the run's name shows how the run ended.
  expect(await its.json(snapshotFileOf("nightly"))).toMatchObject({ status: "succeeded" });
});
