import type { NewResync, RequestOutcome } from "@firehose-backfill/checkpoint/resync-store";
import { MAX_OPEN_RUNS, RESYNC_RUN, type Run } from "@firehose-backfill/checkpoint/run";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { UsageError } from "@firehose-backfill/core/errors";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { expect, test } from "vitest";
import { refuseName } from "./control-event.ts";
import { listResyncs } from "./list-resyncs.ts";
import { newRun } from "./new-run.ts";
import { chooseRun } from "./open-run.ts";
import { placeResyncs } from "./place-resyncs.ts";
import { endServed, LEAST_APART_MS, MAY_STILL_COME_MS, MOST_OF_A_RUN, serveResyncs } from "./serve-resyncs.ts";

const EVERY_MS = 5_000;
const POSTS = ["app.bsky.feed.post"];
const config = (settings: Readonly<Record<string, string>> = {}) =>
  parseConfig({ RELAY_URL: "wss://relay.example", BACKFILL_BATCH_SIZE: "7", ...settings });

interface Scene {
  readonly store: CheckpointStore;
  readonly lines: string[];
  nowMs: number;
  begin(runId: string, settings?: Readonly<Record<string, string>>): Promise<Run>;
  end(runId: string, status: "succeeded" | "cancelled"): Promise<void>;
  ask(did: string, more?: Partial<NewResync>): Promise<RequestOutcome>;
  /** As a tick does, after some time: the names of the DIDs that a run that begins will read. */
  look(laterMs?: number): Promise<readonly string[] | null>;
  asked(): Promise<readonly string[]>;
}

function scene(store = createMemoryStore()): Scene {
  const serving = serveResyncs({ config: config(), everyMs: EVERY_MS });
  const lines: string[] = [];
  let last = 0;
  const its: Scene = {
    store,
    lines,
    nowMs: Date.parse("2026-11-28T12:00:00Z"),
    begin: (runId, settings) => store.createRun(newRun(config(settings), { runId, nowMs: its.nowMs })),
    async end(runId, status) {
      if (status === "cancelled")
        await store.transition(runId, ["enqueued", "running"], "cancelling", { reason: null });
      else await store.transition(runId, ["enqueued"], "running", { reason: null });
      const patch = { reason: null, finishedAtMs: its.nowMs };
      const ended = await store.transition(runId, ["running", "cancelling"], status, patch);
      if (ended === null) throw new Error(`${runId} did not end`);
    },
    ask: (did, more = {}) =>
      store.requestResync("default", { did, reason: "chain", rev: "r", atMs: its.nowMs, ...more }),
    async look(laterMs = 0) {
      its.nowMs += laterMs;
      const clock = { now: () => its.nowMs, sleep: async () => {} };
      const random = () => (last = (last + 0.01) % 1);
      const deps = { store, clock, random, log: (line: string) => void lines.push(line) };
      const begun = await serving.look(deps, await store.openRuns());
      return begun === null ? null : ((await store.getScope(begun.runId))?.dids ?? []);
    },
    asked: async () => (await store.listResyncs("default", 100)).first.map(({ did }) => did),
  };
  return its;
}

const resyncOf = async ({ store }: Scene): Promise<Run> => {
  const run = (await store.openRuns()).find(({ name }) => name === RESYNC_RUN);
  if (run === undefined) throw new Error("no resync is open");
  return run;
};

test("issue 16.2: a request becomes a run over repositories, with the filters of the run that made it, at the pace of the last one", async () => {
  const its = scene();
  await its.begin("first", { BACKFILL_COLLECTIONS: POSTS.join(","), BACKFILL_VERIFY: "chain" });
  await its.ask("did:plc:b", { runId: "first" });
  await its.ask("did:plc:a", { runId: "first" });
  await its.end("first", "succeeded");
  expect(await its.look()).toEqual(["did:plc:a", "did:plc:b"]);
  const run = await resyncOf(its);
  expect(run).toMatchObject({
    name: RESYNC_RUN,
    source: { kind: "repos", host: "repositories of 2 accounts" },
    throttle: { batchSize: 7 },
    start: { kind: "oldest" },
  });
  expect(await its.store.getScope(run.runId)).toMatchObject({ source: "repos", collections: POSTS, days: -1 });
  expect(its.lines).toEqual([`[BACKFILL] Run ${run.runId} (resync) reads anew repositories of 2 accounts: chain 2`]);
});

test("issue 16.2: what an open run has found missing may still come, so it is served after a minute; what a run that is over has found, at once", async () => {
  const its = scene();
  await its.begin("open");
  await its.ask("did:plc:a", { runId: "open" });
  expect(await its.look()).toBeNull();
  expect(await its.look(MAY_STILL_COME_MS - 1)).toBeNull();
  expect(await its.look(EVERY_MS)).toEqual(["did:plc:a"]);
  expect((await resyncOf(its)).paceId).toBe("default");

  const over = scene();
  await over.begin("over");
  await over.ask("did:plc:a", { runId: "over" });
  await over.end("over", "succeeded");
  await over.begin("next");
  expect(await over.look()).toEqual(["did:plc:a"]);
});

test("issue 16.2: a request goes once its run has succeeded; one that came again meanwhile stays, and is served by the next", async () => {
  const its = scene();
  for (const did of ["did:plc:a", "did:plc:b"]) await its.ask(did);
  await its.look();
  const { runId } = await resyncOf(its);
  // One at a time.
  await its.ask("did:plc:c");
  expect(await its.look(EVERY_MS)).toBeNull();
  await its.ask("did:plc:b", { rev: "later" });
  await its.end(runId, "succeeded");
  const run = await its.store.getRun(runId);
  if (run !== null) await endServed({ store: its.store, log: (line) => void its.lines.push(line) }, run);
  expect(await its.store.listResyncs("default", 100)).toMatchObject({
    count: 2,
    done: 1,
    first: [{ did: "did:plc:b", rev: "later" }, { did: "did:plc:c" }],
  });
  expect(await its.look(EVERY_MS)).toEqual(["did:plc:b", "did:plc:c"]);
});

test("issue 16.2: while other runs go on, two resyncs are ten minutes apart", async () => {
  const its = scene();
  await its.begin("open");
  await its.ask("did:plc:a");
  expect(await its.look()).toEqual(["did:plc:a"]);
  await its.look(EVERY_MS);
  await its.end((await resyncOf(its)).runId, "succeeded");
  await its.ask("did:plc:b");
  expect(await its.look(EVERY_MS)).toBeNull();
  expect(await its.look(LEAST_APART_MS)).toEqual(["did:plc:b"]);
});

test("issue 16.2: killed after it has taken the requests, before the run began: they are taken again", async () => {
  let isDead = false;
  const its = scene(
    createMemoryStore({
      beforeCall: (name) => {
        if (isDead && name === "put") throw new Error("killed");
      },
    }),
  );
  await its.begin("over");
  await its.ask("did:plc:a");
  await its.end("over", "succeeded");
  isDead = true;
  await expect(its.look()).rejects.toThrow("killed");
  isDead = false;
  expect((await its.store.listResyncs("default", 1)).first[0]?.takenBy).toMatch(/^20261128-/);
  expect(await its.look(EVERY_MS)).toEqual(["did:plc:a"]);
});

test("issue 16.2: killed after the run has succeeded, before the requests were removed: the next look removes them, and reads nothing", async () => {
  const its = scene();
  await its.ask("did:plc:a");
  await its.look();
  await its.end((await resyncOf(its)).runId, "succeeded");
  expect(await its.asked()).toEqual(["did:plc:a"]);
  expect(await its.look(EVERY_MS)).toBeNull();
  expect(await its.store.listResyncs("default", 1)).toEqual({ count: 0, done: 1, first: [] });
});

test("issue 16.2: what a cancelled run had taken is held until it is requested again, and is listed so", async () => {
  const its = scene();
  await its.ask("did:plc:a");
  await its.look();
  const { runId } = await resyncOf(its);
  expect((await listResyncs(its)).requests).toMatchObject([{ did: "did:plc:a", state: "reading", run: runId }]);
  await its.end(runId, "cancelled");
  expect(await its.look(EVERY_MS)).toBeNull();
  expect(await listResyncs(its)).toMatchObject({
    done: 0,
    requests: [{ did: "did:plc:a", state: "held", run: runId }],
  });
  const clock = { now: () => its.nowMs, sleep: async () => {} };
  const placed = await placeResyncs(
    { store: its.store, clock },
    { dids: ["did:plc:a", "did:plc:b"], reason: "operator" },
  );
  expect(placed).toEqual({ placed: 2, there: 0, full: 0, bad: 0 });
  expect((await listResyncs(its)).requests).toMatchObject([{ state: "waiting" }, { state: "waiting" }]);
  expect(await its.look(EVERY_MS)).toEqual(["did:plc:a", "did:plc:b"]);
});

test("issue 16.2: two processes that look at the same moment begin one run, and nothing is lost", async () => {
  const store = createMemoryStore();
  const [one, other] = [scene(store), scene(store)];
  for (const did of ["did:plc:a", "did:plc:b"]) await one.ask(did);
  other.nowMs += 1_000;
  await Promise.all([one.look(), other.look()]);
  const runs = (await store.openRuns()).filter(({ name }) => name === RESYNC_RUN);
  expect(runs).toHaveLength(1);
  expect((await store.getScope(runs[0]?.runId ?? ""))?.dids).toEqual(["did:plc:a", "did:plc:b"]);
  await one.look(EVERY_MS);
  await one.end(runs[0]?.runId ?? "", "succeeded");
  // Those that are marked with the run of the slower one, which never began, are read once more.
  await one.look(EVERY_MS);
  await other.look(2 * EVERY_MS);
  const open = await store.openRuns();
  for (const { runId } of open) await one.end(runId, "succeeded");
  await one.look(EVERY_MS);
  expect(await store.listResyncs("default", 10)).toMatchObject({ count: 0, done: 2, first: [] });
});

test("issue 16.2: requests with other filters wait for a run of their own, and a run takes a thousand at most", async () => {
  const its = scene();
  await its.begin("over", { BACKFILL_COLLECTIONS: "app.bsky.feed.like" });
  await its.end("over", "succeeded");
  const dids = Array.from({ length: MOST_OF_A_RUN + 2 }, (_, index) => `did:plc:${String(index).padStart(5, "0")}`);
  await its.ask("did:plc:posts", { reason: "audit", collections: POSTS });
  its.nowMs += 1;
  for (const did of dids) await its.ask(did, { runId: "over" });
  expect(await its.look()).toEqual(["did:plc:posts"]);
  const first = await resyncOf(its);
  expect(await its.store.getScope(first.runId)).toMatchObject({ collections: POSTS });
  await its.look(EVERY_MS);
  await its.end(first.runId, "succeeded");
  expect(await its.look(EVERY_MS)).toEqual(dids.slice(0, MOST_OF_A_RUN));
  const second = await resyncOf(its);
  expect(await its.store.getScope(second.runId)).toMatchObject({ collections: ["app.bsky.feed.like"] });
  await its.look(EVERY_MS);
  await its.end(second.runId, "succeeded");
  expect(await its.look(EVERY_MS)).toEqual(dids.slice(MOST_OF_A_RUN));
});

test("issue 16.2: where more are requested than a run takes, the oldest ones come first, whatever their DIDs", async () => {
  const its = scene();
  await its.ask("did:plc:zzz");
  its.nowMs += 1;
  for (let index = 0; index < MOST_OF_A_RUN; index++) await its.ask(`did:plc:${String(index).padStart(5, "0")}`);
  const read = await its.look();
  expect(read).toHaveLength(MOST_OF_A_RUN);
  expect(read).toContain("did:plc:zzz");
});

test("issue 16.2: a request is served in the database that it was made for, also while runs of other databases are open", async () => {
  const its = scene();
  const begin = (runId: string, database: string) =>
    its.store.createRun({
      ...newRun(config({ BACKFILL_DIDS: `did:plc:${runId}` }), { runId, nowMs: its.nowMs }),
      database: { id: database, name: database },
    });
  const { paceId } = await begin("one", "database-1");
  await begin("two", "database-2");
  await its.store.requestResync(paceId, { did: "did:plc:a", reason: "chain", rev: "r", atMs: 0, runId: "one" });
  expect(await its.look(MAY_STILL_COME_MS)).toEqual(["did:plc:a"]);
  expect(await resyncOf(its)).toMatchObject({ paceId, database: { id: "database-1" } });
});

test("issue 16.2: what somebody asks of some collections does not take the place of what the stream lacks, nor the other way round", async () => {
  const ofStream = { reason: "chain", runId: "over" } as const;
  const ofSome = { reason: "audit", collections: POSTS } as const;
  for (const order of [
    [ofStream, ofSome],
    [ofSome, ofStream],
  ]) {
    const its = scene();
    await its.begin("over", { BACKFILL_COLLECTIONS: "app.bsky.feed.like" });
    await its.end("over", "succeeded");
    for (const more of order) {
      expect(await its.ask("did:plc:a", more)).toBe("placed");
      its.nowMs += 1;
    }
    expect(await its.ask("did:plc:a", ofSome)).toBe("there");
    const read: (readonly string[])[] = [];
    for (const _ of order) {
      expect(await its.look(EVERY_MS)).toEqual(["did:plc:a"]);
      const run = await resyncOf(its);
      read.push((await its.store.getScope(run.runId))?.collections ?? []);
      await its.look(EVERY_MS);
      await its.end(run.runId, "succeeded");
      await endServed({ store: its.store, log: (line) => void its.lines.push(line) }, run);
    }
    expect(read).toEqual(order.map((more) => (more === ofSome ? POSTS : ["app.bsky.feed.like"])));
    expect(await its.look(EVERY_MS)).toBeNull();
    expect(await its.store.listResyncs("default", 10)).toEqual({ count: 0, done: 2, first: [] });
  }
  // What the stream lacked has come: what was asked for stays.
  const its = scene();
  for (const more of [ofStream, ofSome]) await its.ask("did:plc:a", more);
  await its.store.withdrawResync("default", "did:plc:a");
  expect((await its.store.listResyncs("default", 10)).first).toMatchObject([{ did: "did:plc:a", reason: "audit" }]);
});

test("issue 16.2: it takes no place from runs of people, and no command means it that names no run", async () => {
  const its = scene();
  for (let index = 0; index < MAX_OPEN_RUNS; index += 1)
    await its.begin(`run-${index}`, { BACKFILL_DIDS: `did:plc:${index}` });
  await its.ask("did:plc:a");
  expect(await its.look()).toEqual(["did:plc:a"]);
  await expect(its.begin("more", { BACKFILL_DIDS: "did:plc:more" })).rejects.toThrow(`${MAX_OPEN_RUNS} runs are open`);
  for (let index = 1; index < MAX_OPEN_RUNS; index += 1) await its.end(`run-${index}`, "succeeded");
  expect(await chooseRun(its, "pause", undefined)).toMatchObject({ runId: "run-0" });
  expect(await its.store.currentRun()).toMatchObject({ runId: "run-0" });
  await its.end("run-0", "succeeded");
  expect(await its.store.currentRun()).toMatchObject({ runId: "run-0" });
  expect(await its.store.currentRun({ openOnly: true })).toMatchObject({ name: RESYNC_RUN });
  expect(await chooseRun(its, "pause", undefined)).toMatchObject({ name: RESYNC_RUN });
  const { runId } = await resyncOf(its);
  await its.end(runId, "succeeded");
  expect(await its.store.currentRun()).toMatchObject({ runId: "run-0" });
  expect((await its.store.pastRuns({ limit: 50 })).map((run) => run.runId)).toContain(runId);
  expect(await its.store.findRun(RESYNC_RUN)).toMatchObject({ runId });
  expect(() => refuseName(RESYNC_RUN)).toThrow(UsageError);
});

test("issue 16.2: to look costs five requests to the table at most where nothing is requested, and is not done all the time", async () => {
  const calls: string[] = [];
  const its = scene(createMemoryStore({ beforeCall: (name) => void calls.push(name) }));
  await its.begin("over");
  await its.end("over", "succeeded");
  const open = await its.store.openRuns();
  calls.length = 0;
  expect(open).toEqual([]);
  await its.look();
  const first = calls.length;
  await its.look(EVERY_MS - 1);
  expect([first <= 5, calls.length - first]).toEqual([true, 1]);
});
