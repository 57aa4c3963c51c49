import { sampleRun } from "@firehose-backfill/testing/status/sample-run";
import { expect, test } from "vitest";
import { tellEach } from "./tell-each.ts";

test("issue 18.6: a run whose status cannot be read does not silence the runs after it; the failure is logged", async () => {
  const runs = ["one", "two", "three"].map((runId) => ({ run: { ...sampleRun(), runId, name: runId } }));
  const lines: string[] = [];
  const told: string[] = [];
  const unreadable = new Error("an item that cannot be read");
  const result = await tellEach(runs, {
    tell: async ({ run }) => {
      if (run.runId === "two") throw unreadable;
      told.push(run.runId);
      return `${run.runId} is running`;
    },
    log: (line) => void lines.push(line),
  });
  expect(told).toEqual(["one", "three"]);
  expect(lines).toEqual([expect.stringMatching(/two.*could not be read or told: .*an item that cannot be read/)]);
  expect(result.said).toEqual([
    "one is running",
    expect.stringMatching(/two.* could not be told$/),
    "three is running",
  ]);
  expect(result.failure).toEqual({ error: unreadable });
});

test("issue 18.6: where all are told there is no failure", async () => {
  const run = sampleRun();
  const told = await tellEach([{ run }], { tell: async () => "it is running", log: () => {} });
  expect(told).toEqual({ said: ["it is running"], failure: null });
});
