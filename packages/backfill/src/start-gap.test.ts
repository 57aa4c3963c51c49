import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { cursorAt } from "@firehose-backfill/source/cursor";
import { expect, test } from "vitest";
import { newRun } from "./new-run.ts";
import { BEFORE_KEPT, noteStartGap } from "./start-gap.ts";

const DAY_MS = 86_400_000;
const NOW = Date.parse("2026-11-24T00:00:00.000Z");

async function begin(start: Record<string, string>, had: { keptSinceMs: number | null; seq?: number }, from?: "live") {
  const lines: string[] = [];
  const store = createMemoryStore();
  const options = { runId: "run", nowMs: NOW, ...(from === undefined ? {} : { start: { kind: from } as const }) };
  const run = await store.createRun(newRun(parseConfig({ RELAY_URL: "wss://relay.example", ...start }), options));
  const first = had.seq === undefined ? null : cursorAt(had.seq, had.keptSinceMs ?? NOW);
  const deps = { store, clock: { now: () => NOW, sleep: async () => {} }, log: (line: string) => lines.push(line) };
  const isGap = await noteStartGap(deps, run, { keptSinceMs: had.keptSinceMs, first });
  return { isGap, lines, gaps: await store.listGaps("run") };
}

test("fault 27: a start that asked for more than the host keeps is said aloud, and is a gap", async () => {
  const { isGap, lines, gaps } = await begin({ BACKFILL_DAYS: "30" }, { keptSinceMs: NOW - 3 * DAY_MS, seq: 900 });
  expect(isGap).toBe(true);
  expect(lines).toEqual([
    "[BACKFILL] Asked to start at 2026-10-25T00:00:00.000Z, but the host keeps only what came since 2026-11-21T00:00:00.000Z: starting there. What is older is in the accounts' repositories: BACKFILL_SOURCE=both reads them, too",
  ]);
  expect(gaps).toEqual([
    {
      from: cursorAt(0, NOW - 30 * DAY_MS),
      to: cursorAt(900, NOW - 3 * DAY_MS),
      host: "relay.example",
      reason: BEFORE_KEPT,
      atMs: NOW,
    },
  ]);
});

test("nobody is sent to the repositories of the accounts of the sample, which are invented", async () => {
  const { isGap, lines } = await begin({ RELAY_URL: "sample" }, { keptSinceMs: NOW - 3_600_000, seq: 1 });
  expect(isGap).toBe(true);
  expect(lines.join()).toMatch(/starting there\. The recording has nothing that is older$/);
});

test.each([
  ["the host keeps all that was asked for", { BACKFILL_DAYS: "1" }, { keptSinceMs: NOW - 2 * DAY_MS, seq: 9 }],
  ["nobody has seen how far back it goes", { BACKFILL_DAYS: "30" }, { keptSinceMs: null, seq: 9 }],
  ["everything it keeps was asked for", { BACKFILL_DAYS: "-1" }, { keptSinceMs: NOW - 2 * DAY_MS, seq: 9 }],
])("fault 27: no gap where %s", async (_name, start: Record<string, string>, had) => {
  expect(await begin(start, had)).toEqual({ isGap: false, lines: [], gaps: [] });
});

test("fault 27: no gap before a start from now on", async () => {
  expect(await begin({}, { keptSinceMs: NOW, seq: 9 }, "live")).toEqual({ isGap: false, lines: [], gaps: [] });
});
