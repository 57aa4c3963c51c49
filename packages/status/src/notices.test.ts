import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { describe, expect, test } from "vitest";
import { dueNotices, noticesOf, stillTold } from "./notices.ts";

const NOW = Date.parse("2026-03-01T12:00:00.000Z");
const kindsOf = (different: Parameters<typeof sampleSnapshot>[0]) =>
  noticesOf(sampleSnapshot({ dead: 0, ...different })).map(({ kind }) => kind);

describe("issue 17.6: what somebody is told", () => {
  test.each([
    ["a run that goes on", {}, []],
    ["a run that has succeeded", { status: "succeeded" }, ["ended"]],
    ["a run that was cancelled", { status: "cancelled" }, ["ended"]],
    ["a run that is errored", { status: "errored", reason: "the host is silent" }, ["stopped"]],
    ["a run that stopped by itself", { status: "paused", reason: "the cursor is ahead of the host" }, ["stopped"]],
    ["a run that somebody paused", { status: "paused" }, []],
    ["dead events", { dead: 2 }, ["dead-events"]],
    [
      "a relay that is away since two minutes",
      { outage: { text: "x", since: "2026-03-01T11:58:00.000Z" } },
      ["source-unreachable"],
    ],
    ["a relay that is away since a moment", { outage: { text: "x", since: "2026-03-01T11:59:30.000Z" } }, []],
    [
      "a database that is away since two minutes",
      { waiting: { for: "database", since: "2026-03-01T11:58:00.000Z" } },
      ["waiting"],
    ],
    ["a run that falls behind", { fallsOffInSeconds: 3_600, retentionSeconds: 259_200 }, ["falls-off"]],
    ["a picture that an ended process left", { stopped: true, dead: 4 }, []],
    ["no run", { runId: null, status: "none" }, []],
  ] as const)("%s", (_, different, kinds) => {
    expect(kindsOf(different)).toEqual(kinds);
  });

  test("the text names the run, the host and what to do", () => {
    const [notice] = noticesOf(sampleSnapshot({ dead: 0, status: "errored", reason: "the host is silent" }));
    expect(notice?.text).toBe(
      "firehose-backfill: run run-20260301-0900-k3 on relay.example:443: errored (the host is silent). Fix the cause, then: firehose-backfill resume.",
    );
  });

  test("each notice is due once; a problem that comes back within an hour is not sent again, but a stop is", () => {
    const trouble = noticesOf(sampleSnapshot({ dead: 0, outage: { text: "x", since: null } }));
    const stop = noticesOf(sampleSnapshot({ dead: 0, status: "errored", reason: "x" }));
    const told = { "source-unreachable": NOW, stopped: NOW };
    expect(dueNotices(trouble, {})).toEqual(trouble);
    expect(dueNotices(trouble, told)).toEqual([]);
    expect(dueNotices(stop, told)).toEqual([]);
    // Both are over.
    expect(stillTold([], told, NOW + 60_000)).toEqual({ "source-unreachable": NOW });
    expect(stillTold([], told, NOW + 3_600_000)).toEqual({});
    // While the problems last, nobody is notified again.
    expect(stillTold([...trouble, ...stop], told, NOW + 86_400_000)).toEqual(told);
  });
});
