/** Frames whose time is none: dead, and kept so that they can be tried again. */
import { decodeEvent, encodeEvent } from "@firehose-backfill/core/cbor/event-layout";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { expect, it } from "vitest";
import { extractEvents } from "./extract.ts";
import { compileFilter } from "./filter.ts";
import { readFrame } from "./frame.ts";
import { commitFrame, markerFrame } from "@firehose-backfill/testing/firehose/frames";

const STREAM_MS = 1_767_225_600_000;

function extract(bytes: Buffer, collections: readonly string[] = []) {
  const frame = readFrame(bytes);
  if (frame.kind !== "commit" && frame.kind !== "account" && frame.kind !== "identity" && frame.kind !== "sync")
    throw new Error(frame.kind);
  const log = new EventLog();
  const rules = { filter: compileFilter({ collections, dids: [] }), verify: "hash", isAhead: () => false } as const;
  return { ...extractEvents(frame, STREAM_MS, rules, log), log: [...log] };
}

it.each(["2026-02-30T00:00:00.000Z", "2026-01-01T12:30:60Z", "yesterday"])(
  "fault 10: each operation of a commit of %s is dead, with what a redrive needs",
  (time) => {
    const ops = [{}, { action: "delete", record: null, path: "a.b.c/gone" }, { isMissing: true, path: "a.b.c/lost" }];
    const { received, events, log } = extract(commitFrame({ seq: 5, ops, payload: { time } }));
    expect({ received, events }).toEqual({ received: 3, events: 3 });
    expect(log).toMatchObject([
      { kind: "dead", reason: "bad-time", path: "app.bsky.feed.post/3k5-0", event: { kind: "record", seq: 5 } },
      { kind: "dead", reason: "bad-time", path: "a.b.c/gone", event: { action: "delete", timeMs: STREAM_MS } },
      { kind: "dead", reason: "missing-block", path: "a.b.c/lost" },
    ]);
    expect(log[2]).not.toHaveProperty("event");
    for (const event of log) expect(decodeEvent(encodeEvent(event))).toEqual(event);
  },
);

it("fault 10: filters hold for them", () => {
  const bytes = commitFrame({ seq: 5, ops: [{}, { path: "a.b.c/d" }], payload: { time: "yesterday" } });
  expect(extract(bytes, ["a.b.c"])).toMatchObject({ received: 2, skippedCollection: 1, log: [{ path: "a.b.c/d" }] });
});

it.each(["#identity", "#account", "#sync"] as const)("fault 10: so is a marker, %s", (type) => {
  const { log } = extract(markerFrame(type, 5, { time: "2026-02-30T00:00:00.000Z" }));
  expect(log).toMatchObject([{ kind: "dead", reason: "bad-time", event: { kind: type.slice(1), timeMs: STREAM_MS } }]);
});
