/** A tick whose work after the runs fails: what the runs did is told all the same. */
import { RESYNC_RUN } from "@firehose-backfill/checkpoint/run";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { cursorAt } from "@firehose-backfill/source/cursor";
import { SurveyError } from "@firehose-backfill/source/survey";
import type { EventSource } from "@firehose-backfill/source/window";
import { quietConsumer } from "@firehose-backfill/testing/backfill/consumer";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { expect, test } from "vitest";
import type { ReaderDeps } from "./deps.ts";
import { newRun } from "./new-run.ts";
import { runTick } from "./run-tick.ts";

const DID = `did:plc:${"a".repeat(24)}`;

/** There is nothing to read. */
function emptySource(): EventSource {
  const to = cursorAt(1, null);
  return {
    readWindow: async () => ({
      events: EventLog.of([]),
      received: 0,
      skipped: {},
      units: 1,
      unknown: 0,
      to,
      first: to,
      state: null,
      keptSinceMs: null,
      startKeptSinceMs: null,
      gaps: [],
      verdict: { kind: "end", word: "done" },
    }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

test("issue 16.2: a served request that cannot be removed now does not hide that its run has succeeded; the next look removes it", async () => {
  const clock = new VirtualClock(Date.UTC(2026, 5, 1));
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock, random: () => 0.5, encode: true });
  const config = parseConfig({ BACKFILL_SOURCE: "repos", BACKFILL_DIDS: DID });
  const { paceId } = await store.createRun(newRun(config, { runId: "run", nowMs: clock.now(), name: RESYNC_RUN }));
  await store.requestResync(paceId, { did: DID, reason: "operator", rev: null, atMs: clock.now() });
  await store.takeResyncs(paceId, { dids: [DID] }, "run");
  const lines: string[] = [];
  const deps: ReaderDeps = {
    clock,
    random: () => 0.5,
    store: { ...store, endResync: () => Promise.reject(new Error("the table is too busy")) },
    queue,
    sources: { repos: { open: emptySource, survey: () => Promise.reject(new SurveyError("made up")) } },
    memory: quietConsumer({ clock, store, queue }).memory,
    timing: {
      tickMs: 60_000,
      tickBudgetMs: 50_000,
      leastReadAheadMs: 0,
      leaseTtlMs: 150_000,
      lostAfterMs: 180_000,
      lookAgainMs: 60_000,
    },
    offPeak: null,
    limits: null,
    owner: "test",
    log: (line) => void lines.push(line),
  };
  const { signal } = new AbortController();
  const statuses: string[] = [];
  for (let ticks = 0; ticks < 5 && statuses.at(-1) !== "succeeded"; ticks += 1) {
    const { runs } = await runTick(deps, { signal, firstRuns: null });
    statuses.push(...runs.map(({ run }) => run.status));
  }
  expect(statuses.at(-1)).toBe("succeeded");
  expect(lines.join("\n")).toContain("the table is too busy");
  expect((await store.listResyncs(paceId, 1)).count).toBe(1);
});
