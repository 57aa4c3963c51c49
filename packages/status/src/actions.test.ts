import { describe, expect, it } from "vitest";
import { ACTIONS, permissionFor } from "./actions.ts";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";

function allowedFor(different: Parameters<typeof sampleSnapshot>[0]) {
  const snapshot = sampleSnapshot({ dead: 0, ...different });
  return ACTIONS.filter((action) => permissionFor(action, snapshot).allowed);
}

describe("what an operator may do", () => {
  it.each([
    ["none", ["start"]],
    ["enqueued", ["pause", "pause-now", "cancel", "tune", "tick"]],
    ["running", ["pause", "pause-now", "cancel", "tune", "tick"]],
    ["pausing", ["pause-now", "resume", "cancel", "tune", "tick"]],
    ["paused", ["resume", "cancel", "tune"]],
    ["cancelling", ["tick"]],
    ["cancelled", ["start"]],
    ["succeeded", ["start"]],
    ["errored", ["resume", "cancel", "tune"]],
  ] as const)("%s: %s", (status, actions) => {
    expect(allowedFor({ status })).toEqual(actions);
  });

  it("is to redrive where there are dead letters, or dead events, whatever the state", () => {
    const queue = { ...sampleSnapshot().queue, deadLetters: 1 };
    for (const status of ["running", "paused", "succeeded"] as const) {
      expect(allowedFor({ status, queue })).toContain("redrive");
      expect(allowedFor({ status, dead: 1 })).toContain("redrive");
    }
  });

  it("is nothing where the process is gone", () => {
    expect(allowedFor({ stopped: true })).toEqual([]);
  });

  it("is refused with the reason", () => {
    expect(permissionFor("start", sampleSnapshot())).toEqual({ allowed: false, because: "a run is running" });
    expect(permissionFor("resume", sampleSnapshot({ status: "succeeded" }))).toEqual({
      allowed: false,
      because: "the run is succeeded",
    });
  });
});
