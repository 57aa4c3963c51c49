import type { Run } from "@firehose-backfill/checkpoint/run";
import type { OpenWindow } from "@firehose-backfill/checkpoint/window";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { describe, expect, it } from "vitest";
import { collectSnapshot, createRateMeter, type CollectOptions } from "./collect-snapshot.ts";
import { sampleRun, sampleWindow, T0 } from "@firehose-backfill/testing/status/sample-run";

const FIGURES = { ready: 0, inFlight: 0, delayed: 0, oldestAgeSeconds: null, deadLetters: 0 };

function storeOf(run: Run | null, windows: () => readonly OpenWindow[], reads: { current?: () => Run | null } = {}) {
  const store: CollectOptions["store"] = {
    currentRun: async () => (reads.current === undefined ? run : reads.current()),
    getRun: async () => run,
    getScope: async () => ({
      relayUrl: "wss://of.the.run",
      days: 3,
      collections: ["app.bsky.feed.post"],
      dids: [],
      verify: "hash",
    }),
    openWindows: async () => windows(),
    listGaps: async () => [],
    listActions: async () => [{ atMs: T0, what: "pause", by: "page", detail: "" }],
    listResyncs: async () => ({ count: 0, done: 0, first: [] }),
    getAudit: async () => null,
    listErrors: async () => [{ atMs: T0, source: "reader", message: "once" }],
    listConsumers: async () => [],
  };
  return store;
}

function options(store: CollectOptions["store"], different: Partial<CollectOptions> = {}): CollectOptions {
  return {
    store,
    queue: { figures: async () => FIGURES },
    clock: { now: () => T0 },
    config: parseConfig({ BACKFILL_BATCH_SIZE: "7", DATABASE_URL: "postgres://me:secret@db.example/x" }),
    ...different,
  };
}

describe("collectSnapshot", () => {
  it("shows the run's settings over the deployment's, and no secret", async () => {
    const run = sampleRun({ sources: { batchSize: "tune", days: "event" } });
    const snapshot = await collectSnapshot(options(storeOf(run, () => [sampleWindow(11, []), sampleWindow(12, [])])));
    expect(snapshot.settings).toMatchObject({
      BACKFILL_BATCH_SIZE: { value: 5, source: "tune" },
      BACKFILL_DAYS: { value: 3, source: "event" },
      BACKFILL_COLLECTIONS: { value: "app.bsky.feed.post" },
      DATABASE_URL: { source: "environment" },
    });
    expect(JSON.stringify(snapshot)).not.toContain("secret");
    expect(snapshot.errors).toHaveLength(1);
  });

  it("shows the deployment's settings where there is no run", async () => {
    const snapshot = await collectSnapshot(options(storeOf(null, () => [])));
    expect(snapshot).toMatchObject({
      status: "none",
      settings: { BACKFILL_BATCH_SIZE: { value: 7, source: "environment" } },
    });
  });

  it("reads again when the applied cursor moved between reading the run and its windows", async () => {
    const before = sampleRun({ registered: 11, appliedWindow: 10 });
    const after = sampleRun({ registered: 11, appliedWindow: 11, totals: { ...before.totals, processed: 905 } });
    const runs = [before, after];
    const store = storeOf(before, () => [], { current: () => runs.shift() ?? after });
    expect((await collectSnapshot(options(store))).processed).toBe(905);
  });

  it("does not read for ever when windows stay missing", async () => {
    let reads = 0;
    const store = storeOf(sampleRun(), () => (reads++, []));
    await collectSnapshot(options(store));
    expect(reads).toBe(3);
  });

  it("remembers the rate from one to the next", async () => {
    const meter = createRateMeter();
    let nowMs = T0;
    let processed = 0;
    const current = () => sampleRun({ registered: 10, totals: { ...sampleRun().totals, processed } });
    const ask = options(
      storeOf(null, () => [], { current }),
      { meter, clock: { now: () => nowMs } },
    );
    await collectSnapshot(ask);
    nowMs += 40_000;
    processed = 800;
    expect((await collectSnapshot(ask)).ratePerSecond).toBe(20);
  });

  it.each([
    ["without a run", null],
    ["of a run", sampleRun()],
  ])("fault 35: what is not given is named by its stand-in, and a profile by who named it: %s", async (_name, run) => {
    const store = { ...storeOf(run, () => []), getScope: () => Promise.resolve(null) };
    const config = parseConfig({ BACKFILL_PROFILE: "background" });
    const sources = { profile: "default" as const };
    const asked = { ...store, currentRun: () => Promise.resolve(run === null ? null : { ...run, sources }) };
    const { settings } = await collectSnapshot(options(asked, { config }));
    expect(settings).toMatchObject({
      DATABASE_URL: { value: "embedded Postgres", source: "default" },
      RELAY_URL: { value: "bundled sample", source: "default" },
      BACKFILL_QUEUE_URL: { value: "embedded", source: "default" },
      BACKFILL_PROFILE: { value: "background", source: "environment" },
    });
  });

  it("fails with the queue rather than inventing figures", async () => {
    const queue = { figures: () => Promise.reject(new Error("no queue")) };
    await expect(
      collectSnapshot(
        options(
          storeOf(null, () => []),
          { queue },
        ),
      ),
    ).rejects.toThrow("no queue");
  });
});
