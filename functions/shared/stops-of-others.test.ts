import { sampleRun } from "@firehose-backfill/testing/status/sample-run";
import { expect, test } from "vitest";
import type { Notice } from "./run-notices.ts";
import { tellStopsOfOthers } from "./stops-of-others.ts";

test("issue 18.4: a run that a consumer in a VPC stopped is published by the reader, once; a second stop, again", async () => {
  const published: Notice[] = [];
  let isDown = true;
  const lines: string[] = [];
  const tell = tellStopsOfOthers({
    publish: async (notice) => {
      if (isDown) throw new Error("no route");
      published.push(notice);
    },
    log: (line) => void lines.push(line),
  });
  const errored = { ...sampleRun(), status: "errored", reason: "permission denied" } as const;
  await tell({ ...errored, status: "running", reason: null });
  await tell(errored);
  expect(lines).toEqual([expect.stringContaining("no route")]);
  isDown = false;
  await tell(errored);
  await tell(errored);
  expect(published).toEqual([expect.objectContaining({ message: expect.stringContaining("permission denied") })]);
  await tell({ ...errored, status: "running", reason: null });
  await tell(errored);
  expect(published).toHaveLength(2);
});
