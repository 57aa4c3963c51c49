/** Plans against a model of a relay: what is true of it is known, so the estimate can be wrong. */
import { parseConfig } from "@firehose-backfill/core/config/parse";
import type { Config } from "@firehose-backfill/core/config/settings";
import { relaySurveyor, type SurveyorOptions } from "@firehose-backfill/firehose/surveyor";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import type { SampleResult } from "@firehose-backfill/firehose/sample";
import type { SeekResult } from "@firehose-backfill/firehose/seek";
import type { ReposSurvey, Survey } from "@firehose-backfill/source/survey";
import { describe, expect, test } from "vitest";
import { makePlan } from "./plan.ts";
import { summarizePlan } from "./summary.ts";

type Relay = Required<SurveyorOptions>;

const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 5, 1, 12);
/** The model: a frame has two events, one of them matches; 100 frames a second, twice that in the last quarter. */
const KEPT_MS = 72 * HOUR_MS;
const OLDEST_SEQ = 1_000_000;

function seqAt(timeMs: number): number {
  const ageMs = NOW_MS - timeMs;
  const dense = Math.min(ageMs, KEPT_MS / 4);
  const back = (dense / 1_000) * 200 + ((ageMs - dense) / 1_000) * 100;
  return Math.round(HEAD_SEQ - back);
}
const HEAD_SEQ = OLDEST_SEQ + (KEPT_MS / 4_000) * 200 + ((KEPT_MS * 3) / 4_000) * 100;

function timeOf(seq: number): number {
  const ahead = HEAD_SEQ - seq;
  const dense = Math.min(ahead, (KEPT_MS / 4_000) * 200);
  return NOW_MS - (dense / 200) * 1_000 - ((ahead - dense) / 100) * 1_000;
}

interface World {
  readonly looks: { cursor: number | null; atMs: number }[];
  readonly deps: Relay;
}

function world(different: Partial<Relay> = {}): World {
  const clock = new VirtualClock(NOW_MS);
  const looks: World["looks"] = [];
  const sampleStream: Relay["sampleStream"] = ({ cursor, untilSeq }) => {
    looks.push({ cursor, atMs: clock.now() });
    const first = cursor === null ? HEAD_SEQ : Math.max(cursor + 1, OLDEST_SEQ);
    if (first > HEAD_SEQ) return Promise.resolve({ kind: "nothing" });
    const last = Math.min(first + 999, HEAD_SEQ, untilSeq ?? HEAD_SEQ);
    const frames = last - first + 1;
    const result: SampleResult = {
      kind: "sample",
      sample: {
        first: { seq: first, timeMs: timeOf(first) },
        last: { seq: last, timeMs: timeOf(last) },
        isWhole: untilSeq !== null && last === untilSeq,
        frames,
        bytes: frames * 800,
        events: frames * 2,
        matching: frames,
        rows: frames,
        recordBytes: frames * 300,
      },
    };
    return Promise.resolve(result);
  };
  const seekCursor: Relay["seekCursor"] = ({ startTimeMs }) => {
    const isOld = startTimeMs <= NOW_MS - KEPT_MS;
    const from = { seq: seqAt(startTimeMs - 600_000), timeMs: startTimeMs - 600_000 };
    const result: SeekResult = {
      endedBecause: isOld ? "oldest" : "found",
      from: isOld ? null : from,
      oldestKept: { seq: OLDEST_SEQ, timeMs: NOW_MS - KEPT_MS },
      head: isOld ? null : { seq: HEAD_SEQ, timeMs: NOW_MS },
      isClamped: startTimeMs < NOW_MS - KEPT_MS,
      probes: 5,
      detail: null,
    };
    return Promise.resolve(result);
  };
  return {
    looks,
    deps: { clock, random: () => 0, userAgent: "test", sampleStream, seekCursor, sampleRelayUrl: null, ...different },
  };
}

function configOf(values: Readonly<Record<string, string>> = {}): Config {
  return parseConfig({ RELAY_URL: "wss://relay.example", ...values });
}

async function plan(values: Readonly<Record<string, string>> = {}, request = {}, different: Partial<Relay> = {}) {
  const { deps, looks } = world(different);
  const made = await runVirtually(
    deps,
    makePlan(
      { clock: deps.clock, sources: { relay: relaySurveyor(deps) } },
      { config: configOf(values), request },
      AbortSignal.any([]),
    ),
  );
  return { made, looks };
}

/** Lets the spacing pass. */
async function runVirtually<T>(deps: Relay, work: Promise<T>): Promise<T> {
  const { clock } = deps;
  if (!(clock instanceof VirtualClock)) throw new TypeError("the model runs on a virtual clock");
  let isOver = false;
  const waitForWork = async () => {
    await Promise.allSettled([work]);
    isOver = true;
  };
  const waiting = waitForWork();
  await clock.runUntil(() => isOver, HOUR_MS);
  await waiting;
  return work;
}

describe("a plan", () => {
  test("counts a day of the stream, its rate as a range, and what passes", async () => {
    const { made } = await plan({ BACKFILL_DAYS: "1" });
    // 18 hours at 200 frames a second, 6 at 100.
    const frames = 18 * 3_600 * 200 + 6 * 3_600 * 100;
    expect(made.events.received / (frames * 2)).toBeCloseTo(1, 2);
    expect(made.events.matching.expected / frames).toBeCloseTo(1, 2);
    expect(made.matchingShare.expected).toBeCloseTo(0.5, 6);
    expect(made.arrivalPerSecond.low).toBeGreaterThan(190);
    expect(made.arrivalPerSecond.low).toBeLessThan(330);
    expect(made.arrivalPerSecond.high).toBeCloseTo(400, 0);
    expect(made.window.seconds).toBeCloseTo(86_400, -2);
    expect(made.retentionSeconds).toBe(KEPT_MS / 1_000);
    expect(made.sampled.positions).toBeGreaterThanOrEqual(6);
    expect(made.readBytes / (frames * 800)).toBeCloseTo(1, 2);
  });

  test("issue 15.6: with both sources it plans both runs, and says what they take together", async () => {
    const { deps } = world();
    const repos: ReposSurvey = {
      known: 3,
      isCounted: true,
      sampled: 3,
      unreadable: 0,
      requests: 90,
      hosts: [{ host: "pds.example", repositories: 3, requests: 90 }],
      requestsPerSecond: 2,
    };
    const asked: string[] = [];
    const survey = async ({ host }: { readonly host: string }): Promise<Survey> => {
      asked.push(host);
      const at = (ordinal: number) => ({ ordinal, timeMs: NOW_MS, token: null });
      const stretches = [{ from: at(0), to: at(3), sample: null }];
      const common = { host, atMs: NOW_MS, wantedFromMs: null, isClamped: false, endsLater: false, oldestKept: null };
      return { ...common, stretches, looks: 1, repos };
    };
    const dids = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa";
    const config = configOf({ BACKFILL_SOURCE: "both", BACKFILL_DIDS: dids, BACKFILL_DAYS: "1" });
    const sources = { relay: relaySurveyor(deps), repos: { survey } };
    const made = await runVirtually(
      deps,
      makePlan({ clock: deps.clock, sources }, { config, request: {} }, AbortSignal.any([])),
    );
    expect(asked).toEqual(["repositories of 1 account"]);
    expect([made.host, made.repos]).toEqual(["relay.example", undefined]);
    expect(made.beside).toMatchObject({ host: "repositories of 1 account", repos: { known: 3, requests: 90 } });
    const said = summarizePlan(made);
    expect(said).toMatch(/^relay\.example: about /);
    expect(said).toMatch(/Beside it, repositories of 1 account: 3 repositories.*Both share the pace: together /);
  });

  test("is polite: one look after the other, half a second apart, and few of them", async () => {
    const { looks } = await plan();
    expect(looks.length).toBeLessThanOrEqual(10);
    const gaps = looks.slice(1).map(({ atMs }, index) => atMs - (looks[index]?.atMs ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(500);
  });

  test("says that a slow pace loses the race, when, and what to change", async () => {
    const { made } = await plan({ BACKFILL_DAYS: "1" });
    expect(made.pace).toMatchObject({ drainPerSecond: 2.5, finishes: "no" });
    // The window begins 48 hours ahead of the edge, which moves a second a second; the reader hardly moves.
    expect((made.pace.fallsOffAfterSeconds ?? 0) / (48 * 3_600)).toBeCloseTo(1, 1);
    expect(made.profiles.map(({ profile, finishes }) => [profile, finishes])).toEqual([
      ["background", "no"],
      ["moderate", "no"],
      ["fast", "yes"],
    ]);
    expect(made.advice.join(" ")).toMatch(/BACKFILL_PROFILE=fast/);
    expect(summarizePlan(made)).toMatch(/NOT finish/);
  });

  test("its single settings do what they promise", async () => {
    const { made } = await plan({ BACKFILL_DAYS: "1" });
    const settings = Object.fromEntries(
      [...made.advice.join(" ").matchAll(/(BACKFILL_(?:BATCH_SIZE|BATCH_DELAY_MS|MAX_CONCURRENT))=(\d+)/g)].map(
        ([, name, value]) => [name, value],
      ),
    );
    expect(Object.keys(settings)).toContain("BACKFILL_BATCH_DELAY_MS");
    expect((await plan({ BACKFILL_DAYS: "1", ...settings })).made.pace.finishes).toBe("yes");
  });

  test("more days than the relay keeps are clamped and said aloud; at its edge only the arrival's own rate is enough", async () => {
    const { made } = await plan({ BACKFILL_DAYS: "30", BACKFILL_PROFILE: "fast" });
    expect(made.window.isClamped).toBe(true);
    expect(made.advice[0]).toContain("begins at the oldest it keeps");
    expect(made.pace.finishes).toBe("no");
    expect((await plan({ BACKFILL_DAYS: "30", BACKFILL_BATCH_DELAY_MS: "10" })).made.pace.finishes).toBe("yes");
  });

  test.each([
    ["oldest", { from: "oldest" }, {}],
    ["a sequence number", { from: String(OLDEST_SEQ + 500) }, {}],
    ["everything", {}, { BACKFILL_DAYS: "-1" }],
  ])("from %s: all that is there", async (_name, request, values) => {
    const { made } = await plan(values, request);
    expect(made.events.received / ((HEAD_SEQ - OLDEST_SEQ) * 2)).toBeCloseTo(1, 2);
  });

  test("to a moment, and to one that is still to come", async () => {
    const from = new Date(NOW_MS - 4 * HOUR_MS).toISOString();
    const past = await plan({}, { from, to: new Date(NOW_MS - 2 * HOUR_MS).toISOString() });
    expect(past.made.events.matching.expected / (2 * 3_600 * 200)).toBeCloseTo(1, 0);
    const later = await plan({}, { from, to: new Date(NOW_MS + HOUR_MS).toISOString() });
    expect(later.made.window.endsLater).toBe(true);
    expect(later.made.advice[0]).toContain("lies in the future");
  });

  test("from now on there is nothing to count", async () => {
    const { made } = await plan({}, { from: "live" });
    expect(made.window.from).toBeNull();
    expect(made.events.matching.expected).toBe(0);
  });

  test("a quiet host's head is searched for", async () => {
    const { deps } = world();
    const quiet = { sampleStream: quietly(deps.sampleStream) };
    const { made } = await plan({}, { from: "oldest" }, quiet);
    expect(made.events.received / ((HEAD_SEQ - OLDEST_SEQ) * 2)).toBeCloseTo(1, 1);
  });

  test("looks that fail are made up for; a host that refuses is not asked again", async () => {
    const { deps } = world();
    let calls = 0;
    const flaky: Relay["sampleStream"] = (options, signal) => {
      calls += 1;
      if (calls === 2 || calls === 5) return Promise.resolve({ kind: "failed", detail: "reset", isFinal: false });
      return deps.sampleStream(options, signal);
    };
    expect((await plan({}, { from: "oldest" }, { sampleStream: flaky })).made.sampled.positions).toBe(8);
    calls = 0;
    const refusing: Relay["sampleStream"] = () => {
      calls += 1;
      return Promise.resolve({ kind: "failed", detail: "HTTP 429", isFinal: true });
    };
    await expect(plan({}, { from: "oldest" }, { sampleStream: refusing })).rejects.toMatchObject({
      name: "SurveyError",
      message: "relay.example cannot be asked: HTTP 429",
    });
    expect(calls).toBe(1);
  });

  test("issue 16.5: the audit after the run is told, with what it asks of whom; without one nothing is", async () => {
    const { made } = await plan({ BACKFILL_AUDIT_SAMPLE: "200" }, { from: "oldest" });
    expect(made.advice.at(-1)).toBe(
      "After the run, 200 repositories at random are audited (BACKFILL_AUDIT_SAMPLE): for each, a request to the directory, one to its host, and one transaction. Of the tables it reads 5,000 rows a second at most.",
    );
    expect((await plan({}, { from: "oldest" })).made.advice.join()).not.toContain("audited");
  });

  test("a filter that nothing passes is told", async () => {
    const { deps } = world();
    const none: Relay["sampleStream"] = async (options, signal) => {
      const result = await deps.sampleStream(options, signal);
      return result.kind === "sample" ? { ...result, sample: { ...result.sample, matching: 0, rows: 0 } } : result;
    };
    const { made } = await plan({}, {}, { sampleStream: none });
    expect(made.advice.join(" ")).toContain("Nothing that was sampled passes the filters");
    expect(made.events.matching.high).toBeGreaterThan(0);
  });
});

function quietly(sampleStream: Relay["sampleStream"]): Relay["sampleStream"] {
  return (options, signal) =>
    options.cursor === null ? Promise.resolve({ kind: "nothing" }) : sampleStream(options, signal);
}
