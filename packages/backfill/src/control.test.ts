import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import type { Actor } from "@firehose-backfill/checkpoint/notes";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { REASON_CURSOR_AHEAD } from "@firehose-backfill/source/verdict";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { expect, test } from "vitest";
import { control } from "./control.ts";
import type { ControlDeps } from "./control-deps.ts";
import { parseControlEvent } from "./control-event.ts";

function setUp(limits: ControlDeps["limits"] = null) {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  const deps: ControlDeps = {
    store,
    queue: createMemoryQueue({ clock, random: () => 0.5 }),
    clock,
    random: Math.random,
    configure: (values) => parseConfig({}, { overrides: [{ source: "event", values }] }),
    limits,
    allowRelayFromEvent: false,
  };
  const send = async (event: unknown): Promise<Run> => {
    const { run } = await control(deps, parseControlEvent(event));
    if (run === null) throw new Error("no run");
    return run;
  };
  return { clock, store, deps, send };
}

async function running(store: CheckpointStore, run: Run): Promise<void> {
  await store.transition(run.runId, ["enqueued"], "running", {});
}

test("a start makes a run of the settings and the event on top of them", async () => {
  const { send } = setUp();
  const run = await send({ action: "start", days: 3, profile: "moderate", settings: { BACKFILL_BATCH_SIZE: 7 } });
  expect(run).toMatchObject({ status: "enqueued", profile: "moderate", source: { kind: "relay", host: "sample" } });
  expect(run.throttle).toMatchObject({ batchSize: 7, batchDelayMs: 1000, maxConcurrent: 5 });
  expect(run.runId).toMatch(/^\d{8}-\d{6}-[0-9a-z]{4}$/);
});

test("one run at a time; start --new cancels the one that is there", async () => {
  const { send, store } = setUp();
  const first = await send({ action: "start" });
  await expect(send({ action: "start" })).rejects.toThrow(`run ${first.runId} is enqueued: one run at a time`);
  const dry = await send({ action: "start", dryRun: true });
  expect(dry).toMatchObject({ runId: first.runId, status: "enqueued" });
  const second = await send({ action: "start", new: true, from: "live" });
  expect((await store.getRun(first.runId))?.status).toBe("cancelled");
  expect(second.runId).not.toBe(first.runId);
});

test("start --dry-run says what the start would meet: a run that is open, and the one that --new cancels", async () => {
  const { send, store, deps } = setUp();
  const said = async (event: unknown) => (await control(deps, parseControlEvent(event))).message;
  expect(await said({ action: "start", dryRun: true })).toMatch(/^would start a run on sample/);
  const first = await send({ action: "start", name: "nightly" });
  expect(await said({ action: "start", dryRun: true })).toMatch(
    new RegExp(`^would be refused: run ${first.runId} is enqueued: one run at a time .*; nothing was changed`),
  );
  expect(await said({ action: "start", name: "nightly", days: 2, dryRun: true })).toMatch(
    /^would be refused: .*nightly/,
  );
  expect(await said({ action: "start", days: 2, dryRun: true })).toMatch(/^would start a run on sample/);
  expect(await said({ action: "start", new: true, dryRun: true })).toMatch(
    new RegExp(`^would cancel run ${first.runId} \\(nightly\\), which is enqueued, and start a run on sample`),
  );
  expect((await store.openRuns()).map(({ runId, status }) => [runId, status])).toEqual([[first.runId, "enqueued"]]);
});

test("issue 17.7: start --new cancels no run of handles for a run over a relay, and no run over a relay for one of handles", async () => {
  for (const [there, started] of [
    ["handles", "relay"],
    ["relay", "handles"],
  ]) {
    const { send, store } = setUp();
    const { runId } = await send({ action: "start", source: there });
    await send({ action: "start", new: true, source: started });
    expect((await store.getRun(runId))?.status).toBe("enqueued");
    const again = await send({ action: "start", new: true, source: started });
    const open = (await store.openRuns()).map((run) => run.runId);
    expect(open.toSorted()).toEqual([runId, again.runId].toSorted());
  }
});

test("issue 17.7: beside a run of handles pause, resume, tune and cancel mean the run that the user began, and say that the other one goes on", async () => {
  const { send, store, deps } = setUp();
  const main = await send({ action: "start" });
  const handles = await send({ action: "start", source: "handles" });
  for (const run of [main, handles]) await running(store, run);
  const said = async (event: object) => {
    const { run, message } = await control(deps, parseControlEvent(event));
    return { runId: run?.runId, status: run?.status, message };
  };
  const beside = (action: string) =>
    new RegExp(
      `\\. Run ${handles.runId}, which looks up handles, goes on: ${action} --run ${handles.runId} if it is to stop, too$`,
    );
  expect(await said({ action: "pause" })).toEqual({
    runId: main.runId,
    status: "pausing",
    message: expect.stringMatching(beside("pause")),
  });
  await store.transition(main.runId, ["pausing"], "paused", {});
  expect(await said({ action: "resume" })).toMatchObject({ runId: main.runId, status: "running" });
  expect(await said({ action: "tune", settings: { BACKFILL_BATCH_SIZE: 7 } })).toMatchObject({ runId: main.runId });
  expect(await said({ action: "pause", run: handles.runId })).toMatchObject({
    runId: handles.runId,
    status: "pausing",
  });
  // It does not go on any more, so nothing is said of it.
  expect((await said({ action: "cancel" })).message).toBe(`run ${main.runId} is cancelling`);
  await store.transition(main.runId, ["cancelling"], "cancelled", { finishedAtMs: 1 });
  // It is the only one.
  expect(await said({ action: "cancel" })).toMatchObject({ runId: handles.runId, status: "cancelling" });
});

test("days of 0, a relay from an event and an unknown setting are refused, and nothing changes", async () => {
  const { send, store } = setUp();
  await expect(send({ action: "start", days: 0 })).rejects.toThrow(/BACKFILL_DAYS is 0/);
  await expect(send({ action: "start", relay: "wss://evil.example" })).rejects.toThrow(/RELAY_URL/);
  const named = { RELAY_URL: "wss://evil.example" };
  await expect(send({ action: "start", settings: named })).rejects.toThrow(/never from an event/);
  await expect(send({ action: "tune", settings: named })).rejects.toThrow(/RELAY_URL/);
  await expect(send({ action: "start", settings: { BACKFILL_X: 1 } })).rejects.toThrow(/BACKFILL_X/);
  await expect(send({ action: "start", settings: { DATABASE_URL: "postgres://x/y" } })).rejects.toThrow(/DATABASE_URL/);
  expect(await store.currentRun()).toBeNull();
});

test("pause, resume and what is refused meanwhile", async () => {
  const { send, store, clock } = setUp();
  await expect(send({ action: "pause" })).rejects.toThrow(/there is no run to pause/);
  const run = await send({ action: "start" });
  await expect(send({ action: "resume" })).rejects.toThrow(
    /^Cannot resume: run \S+ is enqueued; only pausing, paused or errored runs can be resumed$/,
  );
  await running(store, run);
  expect(await send({ action: "pause" })).toMatchObject({ status: "pausing", reason: "paused by the operator" });
  await store.transition(run.runId, ["pausing"], "paused", { pausedSinceMs: clock.now() });
  await clock.advance(60_000);
  const resumed = await send({ action: "resume" });
  expect(resumed).toMatchObject({
    status: "running",
    generation: run.generation,
    reason: null,
    pausedMs: 60_000,
    pausedSinceMs: null,
  });
});

test("resume after pause --now begins a new generation: what was hidden is void", async () => {
  const { send, store } = setUp();
  const run = await send({ action: "start" });
  await running(store, run);
  expect(await send({ action: "pause", now: true })).toMatchObject({ status: "paused", pausedNow: true });
  expect(await send({ action: "resume" })).toMatchObject({
    status: "running",
    pausedNow: false,
    generation: run.generation + 1,
  });
});

test("a cursor that does not fit the host takes a new position to go on", async () => {
  const { send, store } = setUp();
  const run = await send({ action: "start" });
  await running(store, run);
  await store.transition(run.runId, ["running"], "paused", { reason: REASON_CURSOR_AHEAD });
  await expect(send({ action: "resume" })).rejects.toThrow(/ahead of the host: choose where to go on with --from/);
  expect(await send({ action: "resume", from: "oldest" })).toMatchObject({
    status: "running",
    start: { kind: "oldest" },
    readerCursor: null,
    generation: run.generation + 1,
  });
});

test("cancel, and no way back", async () => {
  const { send, store } = setUp();
  const run = await send({ action: "start" });
  await running(store, run);
  expect(await send({ action: "cancel" })).toMatchObject({ status: "cancelling" });
  await expect(send({ action: "resume" })).rejects.toThrow(/^Cannot resume: run \S+ is cancelling; only /);
});

test("a tune changes the pace, is recorded, and voids the slots of the old one", async () => {
  const { send, clock } = setUp();
  const run = await send({ action: "start" });
  const tuned = await send({ action: "tune", settings: { BACKFILL_BATCH_DELAY_MS: 4000 } });
  expect(tuned.throttle.batchDelayMs).toBe(4000);
  expect(tuned.paceVersion).toBe(run.paceVersion + 1);
  expect(tuned.plannedDueMs).toBe(clock.now());
  expect(tuned.tunes).toEqual([{ atMs: clock.now(), by: "tune", changes: { batchDelayMs: { from: 2000, to: 4000 } } }]);
  await expect(send({ action: "tune", settings: { BACKFILL_DAYS: 4 } })).rejects.toThrow(
    /BACKFILL_DAYS cannot be tuned/,
  );
});

test("a start above what is deployed is clamped and says so", async () => {
  const { deps } = setUp({ maxConcurrent: 2, maxMemoryMb: 512 });
  const { message, run } = await control(deps, parseControlEvent({ action: "start", profile: "fast" }));
  expect(message).toContain("; BACKFILL_MAX_CONCURRENT stays at the deployed 2: 10 needs a deploy");
  expect(message).toContain("; BACKFILL_MAX_MEMORY_MB stays at the deployed 512: 2048 needs a deploy");
  expect(run?.throttle).toMatchObject({ maxConcurrent: 2, maxMemoryMb: 512, batchSize: 50 });
});

test("a tune above what is deployed is clamped and says so", async () => {
  const { send, deps } = setUp({ maxConcurrent: 2, maxMemoryMb: 512 });
  await send({ action: "start" });
  const { message } = await control(deps, {
    action: "tune",
    settings: { BACKFILL_MAX_CONCURRENT: 9, BACKFILL_BATCH_SIZE: 6 },
  });
  expect(message).toContain("BACKFILL_BATCH_SIZE 5 -> 6");
  expect(message).toContain("BACKFILL_MAX_CONCURRENT stays at the deployed 2: 9 needs a deploy");
});

test("fault 22: a tune to a memory limit that would make the run stand still is refused; a higher one never is", async () => {
  const { send, deps } = setUp();
  const run = await send({ action: "start" });
  const asked: number[] = [];
  const limitProblem = (limitMb: number) => {
    asked.push(limitMb);
    return limitMb < 300 ? `holds 300, not ${limitMb}` : null;
  };
  const tune = (settings: Readonly<Record<string, unknown>>) =>
    control({ ...deps, limitProblem }, { action: "tune", settings });
  await expect(tune({ BACKFILL_MAX_MEMORY_MB: 200, BACKFILL_BATCH_SIZE: 9 })).rejects.toThrow("holds 300, not 200");
  expect((await deps.store.getRun(run.runId))?.throttle).toEqual(run.throttle);
  expect((await tune({ BACKFILL_MAX_MEMORY_MB: 300 })).run?.throttle.maxMemoryMb).toBe(300);
  expect((await tune({ BACKFILL_BATCH_SIZE: 9 })).run?.throttle.batchSize).toBe(9);
  expect((await tune({ BACKFILL_MAX_MEMORY_MB: 600 })).run?.throttle.maxMemoryMb).toBe(600);
  expect(asked).toEqual([200, 300]);
});

/** Two runs beside each other, on one pace: of posts, and of likes. */
async function two(set = setUp()) {
  const posts = await set.send({ action: "start", collections: ["app.bsky.feed.post"] });
  const likes = await set.send({ action: "start", collections: ["app.bsky.feed.like"], name: "nightly" });
  return { ...set, posts, likes };
}

test("issue 14.1: a start begins beside a run with another scope, and is refused beside one that is about the same", async () => {
  const { posts, likes, send, deps } = await two();
  expect((await deps.store.openRuns()).map(({ runId }) => runId)).toEqual([posts.runId, likes.runId]);
  const same = send({ action: "start", collections: ["app.bsky.feed.post"] });
  await expect(same).rejects.toThrow(`run ${posts.runId} is enqueued: one run at a time for the same source, filters`);
  const named = send({ action: "start", days: 3, name: "nightly" });
  await expect(named).rejects.toThrow(`run ${likes.runId} is open and has the name nightly: choose another name`);
  await expect(send({ action: "start", name: "Nightly run" })).rejects.toThrow(
    /1 to 40 of the characters a-z, 0-9 and -/,
  );
  await expect(send({ action: "start", name: "20261128-101500-k3f9" })).rejects.toThrow(/looks like the id of a run/);
  const range = await control(deps, parseControlEvent({ action: "start", days: 3 }));
  expect(range.message).toMatch(/^run \S+ is enqueued; it shares the pace of the database with 2 other runs$/);
});

test("issue 14.1: the 21st run is refused with a sentence", async () => {
  const { send } = setUp();
  for (let days = 1; days <= 20; days += 1) await send({ action: "start", days });
  await expect(send({ action: "start", days: 21 })).rejects.toThrow(/^20 runs are open, and no more can be/);
});

test("issue 14.1: a command without a run lists several, and changes none; with an id or a name it acts on that one", async () => {
  const { posts, likes, send, deps, store } = await two();
  for (const run of [posts, likes]) await running(store, run);
  for (const action of ["pause", "resume", "cancel"]) {
    const refused = send({ action });
    await expect(refused).rejects.toMatchObject({
      name: "ChooseRunError",
      message: [
        `2 runs are open: say which one to ${action} with --run ID or --run NAME. Open runs:`,
        `${posts.runId}  -        sample  running`,
        `${likes.runId}  nightly  sample  running`,
      ].join("\n"),
    });
  }
  expect(await send({ action: "pause", run: "nightly" })).toMatchObject({ runId: likes.runId, status: "pausing" });
  expect(await send({ action: "cancel", run: posts.runId })).toMatchObject({
    runId: posts.runId,
    status: "cancelling",
  });
  await expect(send({ action: "pause", run: "weekly" })).rejects.toThrow(
    /^no run has the id or the name weekly\. Open runs:/,
  );
  const { message } = await control(deps, parseControlEvent({ action: "status" }));
  expect(message).toContain("2 runs are open:");
  expect((await control(deps, parseControlEvent({ action: "status", run: "nightly" }))).message).toBe(
    `run ${likes.runId} (nightly) is pausing`,
  );
});

test("issue 14.2: a tune needs no run while all have one pace, and holds for all of them", async () => {
  const { send, deps } = await two();
  const { message } = await control(deps, parseControlEvent({ action: "tune", settings: { BACKFILL_BATCH_SIZE: 9 } }));
  expect(message).toBe("the pace of 2 runs: BACKFILL_BATCH_SIZE 5 -> 9");
  expect((await deps.store.openRuns()).map(({ throttle }) => throttle.batchSize)).toEqual([9, 9]);
  // What a start does not give leaves the pace as it is; what it gives is a tune of it.
  expect((await send({ action: "start", days: 4 })).throttle.batchSize).toBe(9);
  const tuned = await send({ action: "start", days: 5, settings: { BACKFILL_BATCH_SIZE: 7 } });
  expect(tuned.throttle.batchSize).toBe(7);
  expect(tuned.tunes.at(-1)).toMatchObject({ by: "tune", changes: { batchSize: { from: 9, to: 7 } } });
  expect((await deps.store.openRuns()).every(({ throttle }) => throttle.batchSize === 7)).toBe(true);
});

test("issue 14.1: --new cancels the run on the same source, and asks where there are several", async () => {
  const { posts, likes, send, store } = await two();
  await expect(send({ action: "start", new: true, days: 3 })).rejects.toThrow(
    /^2 runs on sample are open: say which one --new cancels/,
  );
  await send({ action: "start", new: true, days: 3, run: "nightly" });
  expect((await store.getRun(likes.runId))?.status).toBe("cancelled");
  expect((await store.getRun(posts.runId))?.status).toBe("enqueued");
});

test("issue 17.5: who did what to a run is noted, with the way it came; questions, dry runs and refusals are not", async () => {
  const { deps, store, clock } = setUp();
  const act = (event: object, by?: Actor) => control(deps, parseControlEvent(event), by);
  const { run: first } = await act({ action: "start", days: 2 }, "command");
  const id = first?.runId ?? "";
  await act({ action: "start", dryRun: true }, "command");
  await act({ action: "status" }, "page");
  await expect(act({ action: "resume" }, "page")).rejects.toThrow("Cannot resume");
  await store.transition(id, ["enqueued"], "running", {});
  await clock.advance(1_000);
  await act({ action: "pause", now: true }, "page");
  await act({ action: "resume", from: "live" });
  const { run: tuned } = await act({ action: "tune", settings: { BACKFILL_BATCH_DELAY_MS: 4000 } }, "page");
  expect(tuned?.tunes).toMatchObject([{ by: "tune", who: "page" }]);
  await act({ action: "start", new: true }, "control event");
  const noted = (await store.listActions(id)).map(({ what, by, detail, atMs }) => [what, by, detail, atMs]);
  const nowMs = clock.now();
  expect(noted).toEqual([
    ["start", "command", `run ${id} is enqueued`, nowMs - 1_000],
    ["pause", "page", "now, without applying what is in the queue", nowMs],
    ["resume", "control event", "from live", nowMs],
    ["cancel", "control event", "by start --new", nowMs],
  ]);
});

test("issue 17.5: a note that cannot be written does not fail the action", async () => {
  const { deps, store, send } = setUp();
  await running(store, await send({ action: "start" }));
  const broken = { ...store, addAction: () => Promise.reject(new Error("table away")) };
  expect((await control({ ...deps, store: broken }, { action: "pause", isNow: false })).run?.status).toBe("pausing");
});

test("issue 16.2: a resync says what it has stored, what was requested already, and what it could not store", async () => {
  const { store, deps } = setUp();
  const resync = async (...dids: readonly string[]) =>
    (await control(deps, parseControlEvent({ action: "resync", dids }))).message;
  expect(await resync("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")).toMatch(/^1 repository requested\. A run called resync/);
  const both = await resync("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", `did:web:${"a".repeat(60)}.net`);
  expect(both).toMatch(/^1 repository requested, 1 was requested already\. A run called resync/);
  store.requestResync = () => Promise.resolve("full");
  expect(await resync("did:plc:bbbbbbbbbbbbbbbbbbbbbbbb")).toBe(
    "0 repositories requested, 1 could not be stored because there are 10000 requests. No repository is read anew because of this",
  );
  store.requestResync = () => Promise.resolve("bad-did");
  expect(await resync("did:plc:bbbbbbbbbbbbbbbbbbbbbbbb")).toMatch(
    /^0 repositories requested, 1 could not be stored because the DID is too long\. No repository/,
  );
});
