import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { REASON_SILENT } from "@firehose-backfill/firehose/relay-verdict";
import { REASON_CURSOR_AHEAD } from "@firehose-backfill/source/verdict";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { expect, test } from "vitest";
import { runEnd } from "./run-end.ts";

const run = await createMemoryStore().createRun(newRun(parseConfig({}), { runId: "run", nowMs: 0 }));
const dead = { ...run.totals, dead: 2 };

test.each<[string, Partial<Run>, boolean, string | null]>([
  ["a run goes on", { status: "running" }, true, null],
  ["succeeded, until done", { status: "succeeded" }, true, "done"],
  ["succeeded with dead events", { status: "succeeded", totals: dead }, true, "done-with-dead"],
  ["succeeded, and the page stays", { status: "succeeded" }, false, null],
  ["cancelled", { status: "cancelled" }, true, "cancelled"],
  ["errored ends the process in any case", { status: "errored", reason: REASON_SILENT }, false, "errored"],
  ["paused by the operator waits", { status: "paused", reason: "paused by the operator" }, true, null],
  ["paused for a new position, until done", { status: "paused", reason: REASON_CURSOR_AHEAD }, true, "paused"],
  ["paused for a new position, and the page stays", { status: "paused", reason: REASON_CURSOR_AHEAD }, false, null],
])("%s", (_name, fields, untilDone, exit) => {
  expect(runEnd({ ...run, ...fields }, untilDone)?.exit ?? null).toBe(exit);
});

test("says what stopped it, and what would help", () => {
  expect(runEnd({ ...run, status: "errored", reason: REASON_SILENT }, true)?.message).toBe(
    "errored: the host is silent",
  );
  expect(runEnd({ ...run, status: "paused", reason: REASON_CURSOR_AHEAD }, true)?.message).toContain("resume --from");
});
