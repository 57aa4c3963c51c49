import { newRun } from "@firehose-backfill/backfill/new-run";
import type { TurnResult } from "@firehose-backfill/backfill/turn";
import { RESYNC_RUN, type Run } from "@firehose-backfill/checkpoint/run";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { UNREACHABLE } from "@firehose-backfill/source/verdict";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { expect, test } from "vitest";
import type { RunEnd } from "./run-end.ts";
import { watchEnds } from "./watch-ends.ts";

const run = await createMemoryStore().createRun(newRun(parseConfig({}), { runId: "run", nowMs: 0 }));
const result = (fields: Partial<Run>, endedBecause = "time"): TurnResult => ({
  run: { ...run, ...fields },
  endedBecause,
  nextInMs: 0,
  read: null,
  outstanding: null,
  isLeaseLost: false,
});
const resync = (runId: string, fields: Partial<Run>, endedBecause?: string) =>
  result({ runId, name: RESYNC_RUN, ...fields }, endedBecause);

function watch(untilDone: boolean) {
  const ends: RunEnd[] = [];
  const onTick = watchEnds({ untilDone, end: (how) => ends.push(how), tidy: () => {} });
  return { ends, tick: (...runs: readonly TurnResult[]) => onTick({ runs, nextInMs: 0 }) };
}

test("issue 16.2: after a resync the process goes on while there is more to serve, and its end is that of the worst", () => {
  const { ends, tick } = watch(true);
  tick(resync("one", { status: "succeeded", totals: { ...run.totals, dead: 1 } }));
  expect(ends).toEqual([]);
  tick(resync("two", { status: "running" }));
  tick(resync("two", { status: "succeeded" }));
  expect(ends).toEqual([]);
  tick();
  expect(ends).toMatchObject([{ exit: "done-with-dead" }]);
});

test("issue 16.2: the end of another run beside it is the end", () => {
  const { ends, tick } = watch(true);
  tick(resync("one", { status: "succeeded" }), result({ status: "running" }));
  tick(result({ status: "succeeded" }));
  expect(ends).toMatchObject([{ exit: "done" }]);
});

test("issue 16.2: a service whose only work is a resync waits for the directory; one that is to end says what is wrong", () => {
  const away = resync("one", { status: "running" }, `${UNREACHABLE}: no answer`);
  const service = watch(false);
  service.tick(away);
  expect(service.ends).toEqual([]);
  const job = watch(true);
  job.tick(away);
  expect(job.ends).toMatchObject([{ exit: "errored" }]);
});
