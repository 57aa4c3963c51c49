import { cursorAt } from "@firehose-backfill/source/cursor";
import { describe, expect, it, test } from "vitest";
import { buildSnapshot, type SnapshotInput } from "./build-snapshot.ts";
import { renderHtml } from "./render-html.ts";
import { renderReport } from "./render-report.ts";
import { renderText } from "./render-text.ts";
import { sampleAudit, sampleEmptySnapshot, sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { HOUR, MINUTE, sampleRun, sampleWindow, T0 } from "@firehose-backfill/testing/status/sample-run";
import type { Snapshot, SnapshotAudit } from "./snapshot.ts";
import { completeSnapshot, stoppedSnapshot } from "./stored-snapshot.ts";
import { moodOf } from "./headline.ts";
import { TICK_MS, verdictOf } from "./verdict.ts";

const NOW = T0 + 10 * MINUTE;

/** All events of the sample run could be applied. */
const WELL = { ...sampleRun().totals, dead: 0 };

function build(different: Partial<SnapshotInput> = {}): Snapshot {
  const run = sampleRun({
    totals: WELL,
    lastTick: { atMs: NOW - 5_000, durationMs: 2_000, endedBecause: "read-ahead full" },
  });
  const queue = { ready: 0, inFlight: 0, delayed: 0, oldestAgeSeconds: null, deadLetters: 0 };
  const none = { openWindows: [], gaps: [], errors: [], consumers: [], rateSamples: [], settings: {} };
  return buildSnapshot({ run, ...none, queue, nowMs: NOW, ...different });
}

/** Everything that a person sees of it: the page, the terminal and the report. */
function views(snapshot: Snapshot): readonly string[] {
  const page = renderHtml(snapshot, { nonce: "n" })
    .replace(/<style.*?<\/style>/s, "")
    .replace(/<script.*?<\/script>/s, "");
  const text = renderText(snapshot, { width: 500, color: true }).join("\n");
  const report = renderReport(snapshot, null).replace(/<style.*?<\/style>/s, "");
  return [page, text, report].map((view) => view.replaceAll(/\s+/g, " "));
}

const isGreen = ([page = "", text = ""]: readonly string[]) =>
  page.includes("mood-good") || text.split("-", 2)[0]?.includes("\u001b[32m");

const allDead = { ...sampleRun().totals, processed: 0, dead: 300, received: 300, skipped: {} };
const someDead = { ...allDead, processed: 297, dead: 3 };
const unreachable = { atMs: NOW - 5_000, durationMs: 4_000, endedBecause: "unreachable: connect ECONNREFUSED" };
const tick = { atMs: NOW - 5_000, durationMs: 2_000, endedBecause: "read-ahead full" };

describe("fault 31: the text never claims more than what was done", () => {
  it("0 of 300 applied is no green 100 %", () => {
    const snapshot = build({ run: sampleRun({ status: "succeeded", finishedAtMs: NOW, totals: allDead }) });
    expect(snapshot.verdict).toMatchObject({
      level: "failed",
      text: "finished, but nothing was applied: 300 of 300 events are dead",
    });
    const seen = views(snapshot);
    expect(isGreen(seen)).toBe(false);
    for (const view of seen) expect(view).not.toContain("100.0 %");
    expect(seen[0]).toContain("0 of 300 events applied");
    expect(seen[1]).toContain("0 of 300 events applied");
    for (const view of seen) expect(view).toContain("300 of 300 events are dead");
  });

  it.each<[string, Partial<SnapshotInput>, Snapshot["verdict"]["level"], string]>([
    [
      "some dead",
      { run: sampleRun({ status: "succeeded", totals: someDead }) },
      "attention",
      "finished: 297 of 300 events applied, 3 of 300 events are dead",
    ],
    ["all well", { run: sampleRun({ status: "succeeded", totals: { ...someDead, dead: 0 } }) }, "ok", "succeeded"],
    [
      "all skipped",
      { run: sampleRun({ status: "succeeded", totals: { ...allDead, dead: 0, skipped: { did: 300 } } }) },
      "ok",
      "succeeded: nothing was applied, because all of 300 events were skipped",
    ],
    [
      "nothing there",
      { run: sampleRun({ status: "succeeded", totals: { ...allDead, dead: 0, received: 0 } }) },
      "ok",
      "succeeded: there was nothing new",
    ],
    [
      "issue 17.1: all well, but a copy is known to lack something",
      {
        run: sampleRun({ status: "succeeded", totals: { ...someDead, dead: 0 } }),
        resyncs: { count: 1_200, done: 7, first: [{ did: "did:plc:a", reason: "chain", rev: null, atMs: T0 }] },
      },
      "waiting",
      "succeeded, but 1,200 repositories have to be read anew",
    ],
    [
      "all dead so far",
      { run: sampleRun({ lastTick: tick, totals: allDead }) },
      "attention",
      "running, but nothing is applied: 300 of 300 events are dead",
    ],
    ["errored", { run: sampleRun({ status: "errored", reason: "schema" }) }, "failed", "errored: schema"],
    [
      "paused",
      { run: sampleRun({ status: "paused", reason: "paused by the operator" }) },
      "waiting",
      "paused by the operator",
    ],
    [
      "waiting",
      { run: sampleRun({ lastTick: tick, waiting: { for: "database", sinceMs: T0 } }) },
      "waiting",
      "waiting: database",
    ],
    [
      "issue 17.1: waiting for a database that refuses",
      {
        run: sampleRun({ lastTick: tick, waiting: { for: "database", sinceMs: T0 } }),
        errors: [{ atMs: T0 + 1, source: "consumer", message: "database: connect ECONNREFUSED 10.0.0.1:5432" }],
      },
      "waiting",
      "waiting: database: connect ECONNREFUSED 10.0.0.1:5432",
    ],
    ["running", {}, "ok", "running"],
    ["none", { run: null }, "ok", "no run yet"],
  ])("%s", (_name, input, level, text) => {
    const snapshot = build(input);
    expect(snapshot.verdict).toMatchObject({ level, text });
    expect(isGreen(views(snapshot))).toBe(level === "ok" && input.run !== null);
  });

  it("progress is all only when the run has succeeded", () => {
    const run = sampleRun({ lastTick: tick, appliedCursor: cursorAt(1_700, T0 + HOUR) });
    expect(build({ run }).progress).toBe(0.9999);
    expect(views(build({ run }))[1]).toContain("99.9 %");
  });

  it("a process that is gone is not green, has no time left, and no pace", () => {
    const snapshot = stoppedSnapshot(build());
    expect(snapshot).toMatchObject({ stopped: true, etaSeconds: null, ratePerSecond: 0, nextTickAt: null });
    expect(snapshot.verdict).toMatchObject({
      level: "attention",
      text: "stopped while running: the process is gone",
      since: snapshot.at,
    });
    const seen = views(snapshot);
    expect(isGreen(seen)).toBe(false);
    for (const view of seen) expect(view).toContain("the process is gone");
    const done = stoppedSnapshot(build({ run: sampleRun({ status: "succeeded", totals: { ...someDead, dead: 0 } }) }));
    expect(done.verdict).toMatchObject({ level: "ok", text: "succeeded" });
  });

  it("what ended before its process was gone keeps its reason, its level and what to do in every view", () => {
    const reason = "the host is silent";
    const errored = stoppedSnapshot(build({ run: sampleRun({ status: "errored", reason, totals: WELL }) }));
    expect(errored.verdict).toMatchObject({ level: "failed", text: `errored: ${reason}` });
    const dead = stoppedSnapshot(build({ run: sampleRun({ status: "succeeded", totals: someDead }) }));
    for (const [snapshot, words, todo] of [
      [errored, reason, "firehose-backfill resume"],
      [dead, "3 of 300 events are dead", "firehose-backfill redrive"],
    ] as const) {
      const seen = views(snapshot);
      for (const view of seen) expect(view).toContain(todo);
      for (const view of seen) expect(view).toContain(words);
      expect(seen[1]?.split(" - ", 1)[0]).toContain(words);
      expect(isGreen(seen)).toBe(false);
    }
  });

  it("a reader without a sign of life is not green, and has no time left", () => {
    const snapshot = build({ run: sampleRun({ lastTick: { ...tick, atMs: NOW - 3 * TICK_MS } }) });
    expect(snapshot.verdict).toMatchObject({ level: "attention", text: "no sign of the reader for 2 min 58 s" });
    expect(snapshot.etaSeconds).toBeNull();
    expect(isGreen(views(snapshot))).toBe(false);
  });

  it("a snapshot of a version that knew less is judged all the same", () => {
    const { asked: _a, verdict: _v, outage: _o, waiting: _w, startedAt: _s, ...old } = build();
    const complete = completeSnapshot(JSON.parse(JSON.stringify(old)));
    expect(complete).toMatchObject({
      asked: null,
      outage: null,
      waiting: null,
      verdict: { level: "ok", text: "running" },
    });
    expect(views(complete)).toHaveLength(3);
  });
});

describe("fault 28: a relay that cannot be reached", () => {
  const errors = [60, 45, 30, 5].map((secondsAgo) => ({
    atMs: NOW - secondsAgo * 1_000,
    source: "reader",
    message: "relay.example: gone",
  }));

  it("needs attention, since it began, and says no time left", () => {
    const lastTick = { ...unreachable, failingSinceMs: NOW - 60_000 };
    const snapshot = build({ run: sampleRun({ lastTick }), errors });
    expect(snapshot).toMatchObject({
      status: "running",
      etaSeconds: null,
      verdict: {
        level: "attention",
        text: "the relay relay.example:443 cannot be reached: connect ECONNREFUSED",
        since: new Date(NOW - 60_000).toISOString(),
      },
    });
    const seen = views(snapshot);
    expect(isGreen(seen)).toBe(false);
    for (const view of seen) expect(view).toContain("cannot be reached: connect ECONNREFUSED");
    expect(seen[1]).toContain("ETA --");
  });

  it("counts from this outage, not from one long ago, and not by a consumer's errors", () => {
    const old = { atMs: NOW - HOUR, source: "reader", message: "relay.example: gone" };
    const other = { atMs: NOW - 90_000, source: "consumer", message: "database" };
    const snapshot = build({
      run: sampleRun({ lastTick: { ...unreachable, failingSinceMs: NOW - 60_000 } }),
      errors: [old, other, ...errors],
    });
    expect(snapshot.outage?.since).toBe(new Date(NOW - 60_000).toISOString());
  });

  it("is over as soon as something has been read again, though its tick has not ended", () => {
    const openWindows = [sampleWindow(11, [null], { sentAtMs: NOW - 500 })];
    const snapshot = build({ run: sampleRun({ lastTick: unreachable, totals: WELL }), openWindows });
    expect(snapshot.verdict.level).toBe("ok");
    expect(snapshot.etaSeconds).not.toBeNull();
  });

  it("as does a reader that fails", () => {
    const snapshot = build({
      run: sampleRun({ lastTick: { ...unreachable, endedBecause: "error: the table is away" } }),
    });
    expect(snapshot).toMatchObject({
      etaSeconds: null,
      verdict: { level: "attention", text: "the reader fails: the table is away" },
    });
  });

  it("has no time left either while consumers wait", () => {
    expect(
      build({ run: sampleRun({ lastTick: tick, waiting: { for: "database", sinceMs: T0 } }) }).etaSeconds,
    ).toBeNull();
  });
});

describe("fault 27: what was asked for, and what was had", () => {
  const DAY = 24 * HOUR;
  const scope = { relayUrl: "wss://relay.example", days: 30, collections: [], dids: [], verify: "hash" as const };
  const cut = sampleRun({
    lastTick: tick,
    start: { kind: "time", timeMs: T0 - 30 * DAY },
    startPosition: cursorAt(900, T0 - 3 * DAY),
    appliedCursor: cursorAt(950, T0 - 2 * DAY),
  });
  const gap = {
    from: cursorAt(0, T0 - 30 * DAY),
    to: cursorAt(900, T0 - 3 * DAY),
    host: "relay.example",
    reason: "before what the host keeps",
    atMs: T0,
  };
  const ASKED = "30 days back, from 2026-01-30 12:00:00 UTC";
  const HAD = "from 2026-02-26 12:00:00 UTC, 3 d back";

  it("a start that was cut says both, in every view", () => {
    const snapshot = build({ run: cut, scope, gaps: [gap] });
    expect(snapshot.asked).toEqual({ days: 30, from: "2026-01-30T12:00:00.000Z" });
    expect(snapshot.gaps).toMatchObject([{ reason: "before what the host keeps" }]);
    for (const view of views(snapshot)) {
      expect(view).toContain(ASKED);
      expect(view).toContain(HAD);
      expect(view).not.toContain("No gaps");
    }
  });

  it("at its end it has less than was asked for, and says so", () => {
    const snapshot = build({
      run: { ...cut, status: "succeeded", finishedAtMs: NOW, totals: { ...someDead, dead: 0 } },
      scope,
      gaps: [gap],
    });
    expect(snapshot.verdict).toMatchObject({
      level: "attention",
      text: "succeeded, with less than was asked for: the relay keeps less",
    });
  });

  it.each<[string, Snapshot, string]>([
    ["before any run", sampleEmptySnapshot(), "No run yet: nothing has been asked of the relay."],
    [
      "before anything was read",
      build({ run: sampleRun({ startPosition: null, appliedCursor: null, readerCursor: null }), scope }),
      "whether the relay has all of it is not known",
    ],
    [
      "while nothing is missing",
      build({ run: { ...cut, startPosition: cursorAt(9, T0 - 30 * DAY) }, scope }),
      `No gaps so far. Asked for: ${ASKED}. Had: from 2026-01-30 12:00:00 UTC, 30 d back.`,
    ],
  ])("%s the page promises nothing", (_name, snapshot, said) => {
    const [page] = views(snapshot);
    expect(page).toContain(said);
    expect(page).not.toContain("had everything");
  });

  it.each([
    [{ kind: "oldest" as const }, { days: -1, from: "oldest" }, "everything that the host keeps"],
    [{ kind: "live" as const }, { days: null, from: "live" }, "what comes from now on"],
    [{ kind: "seq" as const, seq: 77 }, { days: null, from: "77" }, "from sequence number 77"],
    [
      { kind: "time" as const, timeMs: T0 - HOUR },
      { days: null, from: "2026-03-01T11:00:00.000Z" },
      "from 2026-03-01 11:00:00 UTC",
    ],
  ])("a start at %o", (start, asked, words) => {
    const snapshot = build({ run: sampleRun({ lastTick: tick, start }), scope });
    expect(snapshot.asked).toEqual(asked);
    for (const view of views(snapshot)) expect(view).toContain(words);
  });
});

test.each([
  ["in the past, is due", NOW - 10_000, "due now"],
  ["now, is due", NOW, "due now"],
  ["to come", NOW + 20_000, "in 20 s"],
])("fault 35: a next tick %s", (_name, nextTickAtMs, words) => {
  const [page = "", text = ""] = views(build({ run: sampleRun({ lastTick: tick, nextTickAtMs }) }));
  expect(page).toMatch(new RegExp(`Next tick</dt> <dd>${words}</dd>`));
  expect(text).toContain(`next ${words}`);
});

test.each(["paused", "errored", "succeeded", "cancelled"] as const)(
  "fault 35: a run that is %s has no next tick",
  (status) => {
    expect(build({ run: sampleRun({ status, nextTickAtMs: NOW - 10_000 }) }).nextTickAt).toBeNull();
  },
);

test("fault 30: what is not known yet is a dash, and no bar turns red", () => {
  const snapshot = sampleSnapshot({ ratePerSecond: null, averageRatePerSecond: null });
  const [page = "", text = ""] = views(snapshot);
  expect(text).toContain("-- evt/s of 2.5 allowed, -- on average");
  expect(page).toContain('-- <span class="unit">events/s of 2.5 allowed');
  expect(page).not.toContain('class="over"');
});

describe("issue 17.1: green only where the job is done", () => {
  const gapAt = (seq: number, reason: string): Snapshot["gaps"][number] => {
    const at = { seq, time: new Date(T0).toISOString() };
    return { from: at, to: at, host: "relay.example", reason };
  };
  const lastPauseAt = new Date(NOW - 5_000).toISOString();

  /** The problems that a run may have, the worst first, with their texts. */
  const TROUBLES: readonly { readonly different: Partial<Snapshot>; readonly words: RegExp }[] = [
    {
      different: { lastTick: { ...tick, at: new Date(NOW - 10 * MINUTE).toISOString() } },
      words: /^no sign of the reader/,
    },
    {
      different: { outage: { text: "the relay cannot be reached", since: null } },
      words: /^the relay cannot be reached/,
    },
    { different: { waiting: { for: "database", since: new Date(NOW).toISOString() } }, words: /^waiting: database/ },
    { different: { fallsOffInSeconds: 60, retentionSeconds: 3_600 }, words: /^falling behind/ },
    {
      different: { memory: { usedMb: 520, limitMb: 512, pauses: 1, lastPauseAt, backOff: 2 } },
      words: /^memory is short/,
    },
    { different: { dead: 3 }, words: /^running, but 3 of/ },
    {
      different: { gaps: [gapAt(0, "before what the host keeps")] },
      words: /^running, with less than was asked for/,
    },
    { different: { gaps: [gapAt(5, "dropped")] }, words: /^running, with gaps/ },
    { different: { audit: sampleAudit({ differing: 1 }) }, words: /^running, but the last audit found that 1 of/ },
  ];

  const judge = (different: Partial<Snapshot>): Snapshot["verdict"] => {
    const { verdict: _, ...judged } = { ...build(), ...different };
    return verdictOf(judged);
  };

  it("a run without trouble is green", () => {
    const verdict = judge({});
    expect(verdict).toMatchObject({ level: "ok", text: "running" });
    expect(moodOf({ status: "running", verdict })).toBe("good");
  });

  it("a run reports its worst problem in every combination of problems, and is never green", () => {
    for (let set = 1; set < 2 ** TROUBLES.length; set += 1) {
      const chosen = TROUBLES.filter((_, bit) => (set & (2 ** bit)) !== 0);
      let different: Partial<Snapshot> = {};
      for (const trouble of chosen.toReversed()) different = { ...different, ...trouble.different };
      const verdict = judge(different);
      expect(verdict.text).toMatch(chosen[0]?.words ?? /^$/);
      expect(["waiting", "attention"]).toContain(verdict.level);
      expect(verdict.advice).not.toBeNull();
      expect(moodOf({ status: "running", verdict })).not.toBe("good");
    }
  });

  it.each(["enqueued", "pausing", "paused", "cancelling", "errored"] as const)(
    "a run that is %s is not green, whatever else holds",
    (status) => {
      for (const { different } of TROUBLES)
        expect(moodOf({ status, verdict: judge({ ...different, status }) })).not.toBe("good");
    },
  );
});

describe("the last audit", () => {
  const audited = (audit: Partial<SnapshotAudit>, different: Partial<Snapshot> = {}) =>
    sampleSnapshot({ status: "succeeded", dead: 0, ...different, audit: sampleAudit(audit) });

  it("issue 16.4: differences make a run yellow that is green otherwise, and every view says so", () => {
    const snapshot = audited({ differing: 2, records: { missing: 1, extra: 0, other: 3 } });
    const text =
      "the last audit found that 2 of 300 repositories differ (1 record missing, 0 extra, 3 with another CID)";
    expect(snapshot.verdict).toMatchObject({ level: "attention", text: `succeeded, but ${text}` });
    expect(snapshot.verdict.advice).toContain("lacks what is older than the relay keeps");
    expect(audited({ differing: 2 }, { source: "repos" }).verdict.advice).not.toContain("relay");
    for (const view of views(snapshot)) expect(view).toContain("2 of 300 repositories differ");
  });

  it("issue 16.4: an audit without differences is shown, with what it says of the whole", () => {
    const snapshot = audited({ behind: 1, unreachable: 3 });
    expect(snapshot.verdict).toMatchObject({ level: "ok", text: "succeeded" });
    for (const view of views(snapshot)) {
      expect(view).toContain("1 behind, 3 unreachable");
      expect(view).toContain("Of 41,200 repositories at most 1 % differ, with 95 % confidence");
    }
  });

  it("an audit that could compare no repository is not green, and every view says so", () => {
    const snapshot = audited({ equal: 0, behind: 0, differing: 0, unreachable: 9 });
    const text = "the last audit could compare none of 9 repositories";
    expect(snapshot.verdict).toMatchObject({ level: "attention", text: `succeeded, but ${text}` });
    expect(snapshot.verdict.advice).toContain("firehose-backfill audit says why");
    for (const view of views(snapshot)) expect(view).toContain(text);
    expect(isGreen(views(snapshot))).toBe(false);
    expect(audited({ equal: 0, behind: 0, differing: 0, unreachable: 0, inactive: 2 }).verdict.level).toBe("ok");
  });

  it("issue 16.4: a snapshot of an older version has none", () => {
    const { audit: _, ...old } = audited({});
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what an older version wrote
    expect(completeSnapshot(old as Snapshot).audit).toBeNull();
  });
});

describe("issue 17.1: who wakes up at night is told where to look, and who paused", () => {
  const paused = (by: string | null, reason: string | null = "paused by the operator") =>
    verdictOf({
      ...sampleSnapshot({ status: "paused", reason, dead: 0 }),
      actions: [
        { at: "2026-03-01T09:00:00.000Z", what: "pause", by: "schedule", detail: "" },
        { at: "2026-03-01T09:10:00.000Z", what: "resume", by: "command", detail: "" },
        ...(by === null ? [] : [{ at: "2026-03-01T09:20:00.000Z", what: "pause", by, detail: "" }]),
      ],
    });

  it.each([
    ["page", "paused by the operator on the page"],
    ["command", "paused by the operator with a command"],
    ["control event", "paused by the operator with a control event"],
    ["something newer", "paused by the operator (something newer)"],
  ])("paused by %s", (by, text) => {
    expect(paused(by)).toMatchObject({ level: "waiting", text, since: "2026-03-01T09:20:00.000Z" });
  });

  it("the first line of the text has no stray space where the verdict goes on without a colon", () => {
    const [first] = renderText(build({ run: sampleRun({ status: "paused", reason: "paused by the operator" }) }), {
      width: 200,
      color: false,
    });
    expect(first).toContain("paused (by the operator)");
  });

  it("a run over repositories that cannot ask the directory is not told to look at the relay", () => {
    const outage = { text: "https://plc.directory cannot be reached", since: "2026-03-01T09:20:00.000Z" };
    const advice = (source: Snapshot["source"]) =>
      verdictOf({ ...sampleSnapshot({ status: "running", dead: 0, source }), outage }).advice;
    expect(advice("relay")).toContain("look at the relay and at the network");
    expect(advice("repos")).toContain("look at the server that is named, and at the network");
    expect(advice("handles")).toContain("look at the server that is named, and at the network");
  });

  it("a pause for a reason of our own keeps its reason", () => {
    expect(paused("page", "the database is full")).toMatchObject({ text: "paused: the database is full", since: null });
  });

  it.each([
    ["database: refused", ". Look at the database"],
    ["database", ". Look at the database"],
    ["throttle query: 3 > 0", ". Look at what BACKFILL_THROTTLE_QUERY asks for"],
    ["its turn", ""],
  ])("waiting for %s", (what, where) => {
    const snapshot = sampleSnapshot({ dead: 0, waiting: { for: what, since: "2026-03-01T11:59:00.000Z" } });
    expect(verdictOf(snapshot).advice).toBe(`nothing is lost, and it goes on by itself${where}`);
  });
});
