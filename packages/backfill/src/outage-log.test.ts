import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import type { RunStatus } from "@firehose-backfill/core/run-state";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { expect, test } from "vitest";
import { NOTHING_OUTSTANDING } from "./advance-applied.ts";
import { newRun } from "./new-run.ts";
import { createOutageLog } from "./outage-log.ts";
import type { ReadReport } from "./read-windows.ts";

const made = newRun(parseConfig({ RELAY_URL: "wss://relay.example" }), { runId: "run", nowMs: 0 });
const run = await createMemoryStore().createRun({ ...made, status: "running" });

type Tick = readonly [endedBecause: string, frames: number | null, status?: RunStatus];

function logOf(ticks: readonly Tick[], secondsApart = 5): readonly string[] {
  const lines: string[] = [];
  let nowMs = 0;
  const log = createOutageLog({ clock: { now: () => nowMs }, log: (line) => lines.push(line) });
  for (const [endedBecause, frames, status = "running"] of ticks) {
    const of = { ...run, status };
    const sums = { windows: 0, received: 0, matched: 0, enqueued: 0, gaps: 0, unknown: 0, isLeaseLost: false };
    const read: ReadReport | null =
      frames === null ? null : { run: of, outstanding: NOTHING_OUTSTANDING, endedBecause, frames, ...sums };
    log.note({ run: of, endedBecause, read });
    nowMs += secondsApart * 1_000;
  }
  return lines;
}

const DOWN: Tick = ["unreachable: connect ECONNREFUSED", 0];
const GONE =
  "[BACKFILL] The relay relay.example cannot be reached: connect ECONNREFUSED. Nothing is lost: queued batches are still applied, and the reader tries again until the relay answers";
const BACK = (seconds: number) => `[BACKFILL] The relay relay.example is back after ${seconds} s`;

test.each<[string, readonly Tick[], readonly string[]]>([
  [
    "an outage of 95 s is two lines, not twenty",
    [["read-ahead full", 40], ...Array.from({ length: 19 }, (): Tick => DOWN), ["read-ahead full", 12]],
    [GONE, BACK(95)],
  ],
  [
    "what is not asked of the relay says nothing of it",
    [DOWN, ["read-ahead full", 0], ["memory", null], ["stopped", 0], DOWN],
    [GONE],
  ],
  ["a host that is quiet is back", [DOWN, ["quiet", 0]], [GONE, BACK(5)]],
  ["each outage is told", [DOWN, ["read-ahead full", 3], DOWN, ["time", 3]], [GONE, BACK(5), GONE, BACK(5)]],
  [
    "frames, and gone again within a tick: one outage",
    [DOWN, ["unreachable: again", 20], ["read-ahead full", 3]],
    [GONE, BACK(10)],
  ],
  ["a pause ends it without a word", [DOWN, ["paused", null, "paused"], ["read-ahead full", 3]], [GONE]],
  [
    "nothing is said while all is well",
    [
      ["read-ahead full", 40],
      ["time", 0],
      ["caught-up", 2],
    ],
    [],
  ],
])("fault 28: %s", (_name, ticks, lines) => {
  expect(logOf(ticks)).toEqual(lines);
});
