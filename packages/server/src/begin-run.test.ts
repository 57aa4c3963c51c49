import { control } from "@firehose-backfill/backfill/control";
import type { ControlDeps } from "@firehose-backfill/backfill/control-deps";
import { parseControlEvent } from "@firehose-backfill/backfill/control-event";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { ConfigError } from "@firehose-backfill/core/errors";
import { cursorAt } from "@firehose-backfill/source/cursor";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { describe, expect, test } from "vitest";
import { beginRun } from "./begin-run.ts";

function setUp() {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  const deps: ControlDeps = {
    store,
    queue: createMemoryQueue({ clock, random: Math.random }),
    clock,
    random: Math.random,
    configure: (values) => parseConfig({}, { overrides: [{ source: "event", values }] }),
    limits: null,
    allowRelayFromEvent: false,
  };
  const said: string[] = [];
  const begin = (settings: Record<string, string> = {}) =>
    beginRun(deps, { config: parseConfig(settings), start: null, log: (line) => said.push(line) });
  return { store, begin, said, deps };
}

test("begins a run, and the next start goes on with it", async () => {
  const { begin } = setUp();
  const first = await begin();
  expect(first).toMatchObject({ kind: "new", run: { status: "enqueued" } });
  const second = await begin();
  expect(second).toMatchObject({ kind: "resumed", run: { runId: first.run?.runId } });
});

test("after a finished run a start begins a new one", async () => {
  const { begin, store } = setUp();
  const { run } = await begin();
  await store.transition(run?.runId ?? "", ["enqueued"], "cancelled", { finishedAtMs: 1 });
  expect(await begin()).toMatchObject({ kind: "new" });
});

test("days of 0 begin nothing, and still go on with what is unfinished", async () => {
  const { begin } = setUp();
  expect(await begin({ BACKFILL_DAYS: "0" })).toEqual({
    kind: "none",
    run: null,
    because: "BACKFILL_DAYS is 0: nothing to run",
  });
});

test("a profile given on an unfinished run is a tune, recorded", async () => {
  const { begin, said } = setUp();
  await begin();
  const { run } = await begin({ BACKFILL_PROFILE: "fast" });
  expect(run).toMatchObject({ profile: "fast", throttle: { batchSize: 50, batchDelayMs: 500 } });
  expect(run?.tunes).toMatchObject([{ by: "resume", changes: { batchSize: { from: 5, to: 50 } } }]);
  expect(said.join("\n")).toContain("BACKFILL_BATCH_SIZE 5 -> 50");
});

test("issue 12.2: a restart with the settings of before leaves what was tuned since; one that is changed applies", async () => {
  const { begin, deps } = setUp();
  await begin({ BACKFILL_BATCH_SIZE: "10", BACKFILL_PROFILE: "moderate" });
  const settings = { BACKFILL_BATCH_SIZE: 3, BACKFILL_BATCH_DELAY_MS: 9000 };
  await control(deps, { action: "tune", settings });
  const same = await begin({ BACKFILL_BATCH_SIZE: "10", BACKFILL_PROFILE: "moderate" });
  expect(same.run?.throttle).toMatchObject({ batchSize: 3, batchDelayMs: 9000 });
  const unset = await begin({});
  expect(unset.run?.throttle).toMatchObject({ batchSize: 3, batchDelayMs: 9000 });
  const anew = await begin({ BACKFILL_BATCH_SIZE: "10" });
  expect(anew.run?.throttle).toMatchObject({ batchSize: 10, batchDelayMs: 9000 });
  expect(anew.run?.tunes.map(({ by }) => by)).toEqual(["tune", "resume"]);
});

test("other filters on an unfinished run stop the start, with both values and two ways out", async () => {
  const { begin, store } = setUp();
  const { run } = await begin({ BACKFILL_COLLECTIONS: "app.bsky.feed.post" });
  const failure = begin({ BACKFILL_COLLECTIONS: "app.bsky.feed.like", RELAY_URL: "wss://other.example" });
  await expect(failure).rejects.toThrow(ConfigError);
  const error = await failure.catch((caught: unknown) => caught);
  const problems = error instanceof ConfigError ? error.problems : [];
  expect(problems).toHaveLength(2);
  expect(problems[1]).toContain("BACKFILL_COLLECTIONS is app.bsky.feed.like");
  expect(problems[1]).toContain("has app.bsky.feed.post");
  expect(problems[1]).toContain("unset BACKFILL_COLLECTIONS");
  expect(problems[1]).toContain("start --new");
  expect(await store.getRun(run?.runId ?? "")).toEqual(run);
});

test("an errored run is tried again, a paused one stays paused and says how to go on", async () => {
  const { begin, store, said } = setUp();
  const { run } = await begin();
  const runId = run?.runId ?? "";
  await store.transition(runId, ["enqueued"], "errored", { reason: "the host is silent" });
  expect((await begin()).run?.status).toBe("running");
  await store.transition(runId, ["running"], "paused", { reason: "paused by the operator" });
  expect((await begin()).run?.status).toBe("paused");
  expect(said.at(-1)).toContain("firehose-backfill resume");
});

describe("fault 32: after a run that has succeeded", () => {
  const RELAY = { RELAY_URL: "wss://relay.example" };

  async function afterSuccess(first: Record<string, string>, second: Record<string, string>) {
    const { begin, store, said } = setUp();
    const { run } = await begin(first);
    const runId = run?.runId ?? "";
    const lease = await store.acquireLease(runId, { owner: "test", ttlMs: 60_000, nowMs: 0 });
    if (lease === null) throw new Error("no lease");
    await store.transition(runId, ["enqueued"], "running", {});
    await store.noteStream(lease.lease, { generation: 1, target: cursorAt(777, 0) });
    await store.transition(runId, ["running"], "succeeded", { finishedAtMs: 1 });
    return { begun: await begin(second), said: said.join("\n"), runId };
  }

  test.each<[string, Record<string, string>, Record<string, string>]>([
    ["the same", RELAY, RELAY],
    ["another pace", RELAY, { ...RELAY, BACKFILL_PROFILE: "fast" }],
    ["days that were given once and not again", { ...RELAY, BACKFILL_DAYS: "3" }, RELAY],
    [
      "the same filters in another order",
      { ...RELAY, BACKFILL_COLLECTIONS: "a.b.c,a.b.d" },
      { ...RELAY, BACKFILL_COLLECTIONS: "a.b.d,a.b.c" },
    ],
  ])("a plain start goes on where it ended: %s", async (_name, first, second) => {
    const { begun, said, runId } = await afterSuccess(first, second);
    expect(begun).toMatchObject({ kind: "new", run: { start: { kind: "seq", seq: 777 } } });
    expect(said).toContain(`goes on where run ${runId} ended, after sequence number 777`);
    expect(said).toContain("firehose-backfill start --new");
  });

  test.each<[string, Record<string, string>]>([
    ["other days", { ...RELAY, BACKFILL_DAYS: "7" }],
    ["other collections", { ...RELAY, BACKFILL_COLLECTIONS: "a.b.c" }],
    ["other accounts", { ...RELAY, BACKFILL_DIDS: "did:plc:aliceaaaaaaaaaaaaaaaaaaa" }],
    ["another relay", { RELAY_URL: "wss://other.example" }],
  ])("what is asked for is another thing, and begun as it is configured: %s", async (_name, second) => {
    const { begun } = await afterSuccess(RELAY, second);
    expect(begun).toMatchObject({ kind: "new", run: { start: { kind: "time" } } });
  });

  test("the bundled sample has nothing more: it says so, and how to begin anew", async () => {
    const { begun } = await afterSuccess({}, {});
    expect(begun).toMatchObject({
      kind: "none",
      because: expect.stringMatching(/^nothing to do: .*start --new, or another BACKFILL_DATA_DIR$/),
    });
  });
});

describe("fault 33: resume without a process", () => {
  async function stopped(status: "paused" | "errored" | "running", reason: string | null, from: string | null) {
    const { begin, store, deps } = setUp();
    const { run } = await begin();
    const runId = run?.runId ?? "";
    await store.transition(runId, ["enqueued"], status, { reason });
    const options = { config: parseConfig({}), start: null, resume: { from }, log: () => {} };
    return { begun: await beginRun(deps, options), runs: await store.currentRun(), runId };
  }

  test.each([
    ["paused", "paused by the operator", null],
    ["errored", "the host is silent", null],
    ["errored", "the host is silent", "oldest"],
    ["paused", "the cursor is ahead of the host", "oldest"],
    ["running", null, null],
  ] as const)("a run that is %s (%s) goes on, from %s", async (status, reason, from) => {
    const { begun, runId } = await stopped(status, reason, from);
    expect(begun).toMatchObject({ kind: "resumed", run: { runId, status: "running", reason: null } });
    expect(begun.run?.generation).toBe(from === null ? 1 : 2);
  });

  test("asks for a start if only the operator can know it", async () => {
    await expect(stopped("paused", "the cursor is ahead of the host", null)).rejects.toThrow("choose where to go on");
  });

  test("never begins a run", async () => {
    const { deps, store } = setUp();
    const options = { config: parseConfig({}), start: null, resume: { from: null }, log: () => {} };
    await expect(beginRun(deps, options)).rejects.toThrow("there is no unfinished run to resume");
    expect(await store.currentRun()).toBeNull();
  });
});

test.each([
  ["on an unfinished run", { BACKFILL_PROFILE: "fast" }, { profile: "environment", batchSize: "profile" }],
  ["a single setting", { BACKFILL_BATCH_SIZE: "7" }, { profile: "default", batchSize: "environment" }],
])(
  "fault 35: the source of a profile and of settings from the environment is the environment: %s",
  async (_name, settings: Record<string, string>, sources) => {
    const { begin } = setUp();
    await begin();
    expect((await begin(settings)).run?.sources).toMatchObject(sources);
  },
);

describe("issue 14.1: several runs", () => {
  const A = { RELAY_URL: "wss://a.example" };
  const B = { RELAY_URL: "wss://b.example" };

  /** Two runs whose process has ended. */
  async function twoRuns() {
    const { begin, deps, store, said } = setUp();
    const { run: a } = await begin({ ...A, BACKFILL_BATCH_SIZE: "10" });
    const config = parseConfig({ ...B, BACKFILL_BATCH_SIZE: "10" });
    const started = await beginRun(
      { ...deps, configure: () => config },
      { config, start: { name: "nightly", isNew: false, isDryRun: false }, log: () => {} },
    );
    return { begin, deps, store, said, a, b: started.run, started };
  }

  test("a start begins a run beside those that are open, and names them", async () => {
    const { a, started } = await twoRuns();
    expect(started).toMatchObject({ kind: "new", run: { name: "nightly" }, beside: [{ runId: a?.runId }] });
  });

  test("a plain start goes on with all of them, whatever its filters and relay are, and its pace is theirs", async () => {
    const { begin, store, a, b } = await twoRuns();
    const begun = await begin({ RELAY_URL: "wss://c.example", BACKFILL_BATCH_SIZE: "3" });
    expect(begun).toMatchObject({ kind: "resumed", run: { runId: a?.runId }, beside: [{ runId: b?.runId }] });
    const open = await store.openRuns();
    expect(open.map(({ throttle }) => throttle.batchSize)).toEqual([3, 3]);
    // The runs share one pace, so there is one tune and not one for each run.
    expect(open.map(({ tunes }) => tunes.filter(({ by }) => by === "resume").length)).toEqual([1, 1]);
  });

  test("one that is errored is tried again, one that is paused stays so, beside each other", async () => {
    const { begin, store, said, a, b } = await twoRuns();
    await store.transition(a?.runId ?? "", ["enqueued"], "errored", { reason: "the host is silent" });
    await store.transition(b?.runId ?? "", ["enqueued"], "paused", { reason: "paused by the operator" });
    await begin({ ...A, BACKFILL_BATCH_SIZE: "10" });
    expect((await store.openRuns()).map(({ status }) => status)).toEqual(["running", "paused"]);
    expect(said.join("\n")).toContain(`Run ${b?.runId} (nightly) is paused`);
  });

  test("resume asks which one, and goes on with that one alone", async () => {
    const { deps, store, a, b } = await twoRuns();
    for (const run of [a, b])
      await store.transition(run?.runId ?? "", ["enqueued"], "paused", { reason: "paused by the operator" });
    const resume = (run?: string) =>
      beginRun(deps, {
        config: parseConfig({ BACKFILL_BATCH_SIZE: "10" }),
        start: null,
        resume: { from: null, ...(run === undefined ? {} : { run }) },
        log: () => {},
      });
    await expect(resume()).rejects.toThrow(/^2 runs are open: say which one to resume with --run/);
    expect(await resume("nightly")).toMatchObject({ kind: "resumed", run: { runId: b?.runId, status: "running" } });
    expect((await store.getRun(a?.runId ?? ""))?.status).toBe("paused");
  });
});

const DID = `did:plc:${"a".repeat(24)}`;
const BOTH = { BACKFILL_SOURCE: "both", BACKFILL_DIDS: DID, RELAY_URL: "wss://relay.example" };

describe("issue 15.4: a start of both whose process ends between its two runs", () => {
  /** The store dies with the second run. */
  async function cutShort() {
    const scene = setUp();
    const createRun = scene.store.createRun.bind(scene.store);
    scene.store.createRun = (run) =>
      run.source.kind === "repos" ? Promise.reject(new Error("the process ended")) : createRun(run);
    return { ...scene, mend: () => void (scene.store.createRun = createRun) };
  }
  const kindsOf = async (store: ReturnType<typeof setUp>["store"]) =>
    (await store.openRuns()).map(({ source }) => source.kind);

  test("is completed by the next start of the program, once", async () => {
    const { begin, store, said, mend } = await cutShort();
    await expect(begin(BOTH)).rejects.toThrow("the process ended");
    expect(await kindsOf(store)).toEqual(["relay"]);
    mend();
    expect(await begin(BOTH)).toMatchObject({ kind: "resumed", beside: [{ source: { kind: "repos" } }] });
    expect(said.join("\n")).toContain("BACKFILL_SOURCE=both lacked its second run, which begins now; run ");
    await begin(BOTH);
    expect(await kindsOf(store)).toEqual(["relay", "repos"]);
  });

  test("is completed by the same start from the control event; a third one is refused", async () => {
    const { deps, store, mend } = await cutShort();
    const start = parseControlEvent({ action: "start", source: "both", dids: [DID] });
    await expect(control(deps, start)).rejects.toThrow("the process ended");
    mend();
    const { message, about } = await control(deps, start);
    expect(message).toContain("; run ");
    expect(about).toHaveLength(2);
    expect(await kindsOf(store)).toEqual(["relay", "repos"]);
    await expect(control(deps, start)).rejects.toThrow("one run at a time");
    expect(await kindsOf(store)).toEqual(["relay", "repos"]);
  });

  test("a run over repositories that has ended is not begun again, nor one beside a relay's run that somebody asked for", async () => {
    const { begin, store } = setUp();
    await begin(BOTH);
    const repos = (await store.openRuns()).find(({ source }) => source.kind === "repos");
    await store.transition(repos?.runId ?? "", ["enqueued"], "cancelled", { finishedAtMs: 1 });
    await begin(BOTH);
    expect(await kindsOf(store)).toEqual(["relay"]);
    const other = setUp();
    await control(other.deps, parseControlEvent({ action: "start", source: "relay", dids: [DID] }));
    await other.begin({ ...BOTH, RELAY_URL: "sample" });
    expect(await kindsOf(other.store)).toEqual(["relay"]);
  });

  test("BACKFILL_SOURCE=both that came after the relay's run begins the other one beside it, as BACKFILL_HANDLES does", async () => {
    for (const before of [{}, { BACKFILL_SOURCE: "relay" }]) {
      const { begin, store } = setUp();
      await begin({ RELAY_URL: BOTH.RELAY_URL, BACKFILL_DIDS: DID, ...before });
      await begin(BOTH);
      expect(await kindsOf(store)).toEqual(["relay", "repos"]);
    }
  });

  test("where the other run cannot begin, the one that is open goes on, and the reason is said", async () => {
    const { begin, store, said } = setUp();
    await begin({ RELAY_URL: BOTH.RELAY_URL });
    const { BACKFILL_DIDS: _, ...nothingToRead } = BOTH;
    expect(await begin(nothingToRead)).toMatchObject({ kind: "resumed", run: { source: { kind: "relay" } } });
    expect(said.join("\n")).toContain(
      "No other run could begin: UsageError: BACKFILL_SOURCE=repos needs to know which",
    );
    expect(await kindsOf(store)).toEqual(["relay"]);

    const other = setUp();
    await control(other.deps, parseControlEvent({ action: "start", source: "repos", dids: [DID] }));
    expect(await other.begin({ BACKFILL_SOURCE: "repos" })).toMatchObject({ kind: "resumed" });
  });
});

describe("issue 17.7: a run of handles beside the others", () => {
  const kinds = (begun: Awaited<ReturnType<ReturnType<typeof setUp>["begin"]>>) =>
    "beside" in begun ? [begun.run, ...begun.beside].map((run) => run.source.kind) : [];
  const HANDLES = { BACKFILL_HANDLES: "true" };

  test("issue 17.7: begins with the first run, or once the setting is there, and only once", async () => {
    const { begin, store } = setUp();
    expect(kinds(await begin())).toEqual(["relay"]);
    expect(kinds(await begin(HANDLES))).toEqual(["relay", "handles"]);
    expect(kinds(await begin(HANDLES))).toEqual(["relay", "handles"]);
    expect(await store.openRuns()).toHaveLength(2);
  });

  test("issue 17.7: beside it, other filters on the run that is not finished stop the start all the same", async () => {
    const { begin } = setUp();
    await begin({ ...HANDLES, BACKFILL_COLLECTIONS: "app.bsky.feed.post" });
    await expect(begin({ ...HANDLES, BACKFILL_COLLECTIONS: "app.bsky.feed.like" })).rejects.toThrow(
      "BACKFILL_COLLECTIONS is app.bsky.feed.like",
    );
  });

  test("issue 17.7: still going on alone, it neither keeps a start from beginning its run nor is asked for its scope", async () => {
    const { begin, store } = setUp();
    const { run } = await begin(HANDLES);
    await store.transition(run?.runId ?? "", ["enqueued"], "cancelled", { finishedAtMs: 1 });
    const scope = { BACKFILL_SOURCE: "relay", BACKFILL_COLLECTIONS: "app.bsky.feed.post", BACKFILL_DAYS: "3" };
    expect(kinds(await begin({ ...HANDLES, ...scope })).toSorted()).toEqual(["handles", "relay"]);
  });

  test("issue 17.7: a start goes on after the last run of a stream, although the run of handles began after it", async () => {
    const { begin, store, said } = setUp();
    const relay = { RELAY_URL: "wss://relay.example" };
    const { run } = await begin({ ...relay, ...HANDLES });
    const runId = run?.runId ?? "";
    await store.transition(runId, ["enqueued"], "running", {});
    await store.transition(runId, ["running"], "succeeded", { finishedAtMs: 1, target: cursorAt(77, 5) });
    const next = await begin({ ...relay, ...HANDLES });
    expect(kinds(next).toSorted()).toEqual(["handles", "relay"]);
    expect(said.join("\n")).toContain(`goes on where run ${runId} ended, after sequence number 77`);
  });

  test("issue 17.7: with days of 0 it goes on alone", async () => {
    const { begin, store } = setUp();
    const { run } = await begin(HANDLES);
    await store.transition(run?.runId ?? "", ["enqueued"], "cancelled", { finishedAtMs: 1 });
    expect(await begin({ ...HANDLES, BACKFILL_DAYS: "0" })).toMatchObject({
      kind: "resumed",
      run: { source: { kind: "handles" } },
    });
  });
});
