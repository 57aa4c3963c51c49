import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { REASON_SILENT } from "@firehose-backfill/firehose/relay-verdict";
import { REASON_CURSOR_AHEAD } from "@firehose-backfill/source/verdict";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { describe, expect, test } from "vitest";
import { of, runEnd, runsEnd } from "./run-end.ts";

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

describe("issue 14.1: how a process of several runs ends", () => {
  const named = (name: string, fields: Partial<Run>): Run => ({ ...run, runId: `id-${name}`, name, ...fields });
  const NONE = { untilDone: true, before: [] };

  test("does not end while one of them continues", () => {
    const open = [named("a", { status: "succeeded" }), named("b", { status: "running" })];
    expect(runsEnd(open, NONE)).toBeNull();
    expect(runsEnd([], NONE)).toBeNull();
  });

  test("the worst end counts, and each message says whose it is", () => {
    const open = [
      named("a", { status: "succeeded", totals: dead }),
      named("b", { status: "errored", reason: REASON_SILENT }),
      named("c", { status: "succeeded" }),
    ];
    const end = runsEnd(open, NONE);
    expect(end?.exit).toBe("errored");
    expect(end?.message).toMatch(/^run id-a \(a\): 2 events .*; run id-b \(b\): errored: the host is silent$/);
  });

  test("what ended earlier counts as well", () => {
    const a = named("a", { status: "succeeded", totals: dead });
    const its = runEnd(a, true);
    const before = its === null ? [] : [of(a, its)];
    const end = runsEnd([named("b", { status: "succeeded" })], { untilDone: true, before });
    expect(end).toMatchObject({ exit: "done-with-dead", message: expect.stringMatching(/^run id-a \(a\): 2 events/) });
  });

  test("a process that stays alive does not end when a run succeeds", () => {
    const open = [named("a", { status: "succeeded" }), named("b", { status: "cancelled" })];
    expect(runsEnd(open, { untilDone: false, before: [] })).toBeNull();
  });
});
