import { expect, test } from "vitest";
import { parseControlEvent } from "./control-event.ts";
import { parseEndPoint, parseStartPoint } from "./parse-range.ts";

test("understands what the console, the CLI and the page send", () => {
  expect(
    parseControlEvent({ action: "start", days: 3, profile: "moderate", collections: ["app.bsky.feed.post"] }),
  ).toEqual({
    action: "start",
    start: { days: "3", profile: "moderate", collections: ["app.bsky.feed.post"], isNew: false, isDryRun: false },
  });
  expect(parseControlEvent({ action: "pause", now: true })).toEqual({ action: "pause", isNow: true });
  expect(parseControlEvent({ action: "resume", from: 12 })).toEqual({ action: "resume", from: "12" });
  expect(parseControlEvent({ action: "status" })).toEqual({ action: "status", withHistory: false });
  expect(parseControlEvent({ action: "status", history: true })).toEqual({ action: "status", withHistory: true });
});

test.each([
  [null, /must be a JSON object/],
  [[], /must be a JSON object/],
  [{}, /action is missing; it takes one of start, status/],
  [{ action: "begin" }, /action is "begin"/],
  [{ action: "pause", later: true }, /pause does not take "later"; it takes now/],
  [{ action: "start", days: [1] }, /days is \[1\]; it takes a text or a number/],
  [{ action: "start", days: 1, from: "oldest" }, /days and from both/],
  [{ action: "start", collections: [1] }, /collections is \[1\]; it takes a list of texts/],
  [{ action: "pause", now: "yes" }, /now is "yes"; it takes true or false/],
  [{ action: "tune" }, /tune takes settings, for example/],
  [{ action: "tune", settings: [] }, /settings is \[\]; it takes an object/],
  [{ action: "start\n[BACKFILL] forged" }, /action is "start\\n\[BACKFILL\] forged"/],
])("refuses %j and says what would be right", (event, message) => {
  expect(() => parseControlEvent(event)).toThrow(message);
});

const ID = "0123abcd-0000-8000-8000-000000000001";

test("issue 17.4: understands redrive and discard of one dead event, and discard by reason", () => {
  expect(parseControlEvent({ action: "redrive" })).toEqual({ action: "redrive" });
  expect(parseControlEvent({ action: "redrive", reason: "float", run: "nightly" })).toEqual({
    action: "redrive",
    reason: "float",
    run: "nightly",
  });
  expect(parseControlEvent({ action: "redrive", id: ID.toUpperCase() })).toEqual({ action: "redrive", id: ID });
  expect(parseControlEvent({ action: "discard", id: ID })).toEqual({ action: "discard", which: { id: ID } });
  expect(parseControlEvent({ action: "discard", reason: "float", run: "mine" })).toEqual({
    action: "discard",
    which: { reason: "float", run: "mine" },
  });
  expect(parseControlEvent({ action: "discard", all: true })).toEqual({ action: "discard", which: { all: true } });
});

test.each([
  [{ action: "redrive", id: ID, reason: "float" }, /redrive takes id or reason/],
  [{ action: "redrive", id: "7" }, /redrive: id is "7"; it takes the id of a dead event/],
  [{ action: "discard" }, /discard takes one of id, reason and all/],
  [{ action: "discard", id: ID, reason: "float" }, /discard takes one of id, reason and all/],
  [{ action: "discard", id: ID, run: "mine" }, /discard takes run with reason or all/],
  [{ action: "discard", all: "yes" }, /all is "yes"/],
])("issue 17.4: refuses %j", (event, message) => {
  expect(() => parseControlEvent(event)).toThrow(message);
});

const AUDIT = {
  atMs: 1,
  by: "command",
  repos: "all",
  collections: null,
  equal: 3,
  behind: 0,
  differing: 1,
  unreachable: 0,
  inactive: 0,
  records: { missing: 1, extra: 0, other: 0 },
  confidence: null,
  first: [{ did: "did:plc:a", verdict: "differing", reason: null, missing: 1, extra: 0, other: 0 }],
};

test("issue 16.4: understands the result of an audit, and cuts what is too long to keep", () => {
  const database = "0123";
  expect(parseControlEvent({ action: "audited", audit: AUDIT, database })).toEqual({
    action: "audited",
    audit: AUDIT,
    database,
  });
  const first = Array.from({ length: 30 }, () => ({ ...AUDIT.first[0], did: "d".repeat(5_000) }));
  const parsed = parseControlEvent({ action: "audited", audit: { ...AUDIT, first }, database });
  expect(JSON.stringify(parsed).length).toBeLessThan(10_000);
});

test.each([
  { ...AUDIT, equal: -1 },
  { ...AUDIT, by: "somebody" },
  { ...AUDIT, first: [{ did: 1 }] },
  { ...AUDIT, confidence: {} },
  { ...AUDIT, collections: [1] },
  null,
])("issue 16.4: refuses %j as the result of an audit", (audit) => {
  expect(() => parseControlEvent({ action: "audited", audit, database: "0123" })).toThrow(/the result of an audit/);
});

test.each([
  ["oldest", { kind: "oldest" }],
  ["live", { kind: "live" }],
  ["0", { kind: "seq", seq: 0 }],
  ["8589934592", { kind: "seq", seq: 8589934592 }],
  ["2026-01-31T08:00:00Z", { kind: "time", timeMs: Date.UTC(2026, 0, 31, 8) }],
  ["2026-01-31", { kind: "time", timeMs: Date.UTC(2026, 0, 31) }],
  ["2026-01-31T08:00:00z", { kind: "time", timeMs: Date.UTC(2026, 0, 31, 8) }],
  ["2026-01-31T08:00:00+0000", { kind: "time", timeMs: Date.UTC(2026, 0, 31, 8) }],
  ["2026-01-31T08:00+02:00", { kind: "time", timeMs: Date.UTC(2026, 0, 31, 6) }],
])("--from %s", (from, point) => {
  expect(parseStartPoint(from)).toEqual(point);
});

test.each(["yesterday", "-1", "1.5", "99999999999999999", "2026-13-01", "31.1.2026", ""])(
  "--from %s is refused",
  (from) => {
    expect(() => parseStartPoint(from)).toThrow(/it takes a sequence number, a time like/);
  },
);

test("--to takes no words", () => {
  expect(() => parseEndPoint("oldest")).toThrow(/to is "oldest"/);
  expect(parseEndPoint("7")).toEqual({ kind: "seq", seq: 7 });
});
