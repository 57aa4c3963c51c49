/** What the answer to a redrive says beyond its numbers: what stays dead, and what cannot be applied here. */
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { recordEvent } from "@firehose-backfill/testing/queue/batches";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { expect, test } from "vitest";
import { control } from "./control.ts";
import type { ControlDeps } from "./control-deps.ts";
import { newRun } from "./new-run.ts";

const MINE = { id: "7f4df1de-0000-4000-8000-000000000000", name: "db:5432/mine" };
const OTHER = { id: "7f4df1de-0000-4000-8000-000000000001", name: "db:5432/other" };

async function redrive(given: {
  readonly letters: number;
  readonly untriable: number;
  readonly dids?: readonly string[];
  readonly at: typeof MINE | Error;
}) {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  const run = newRun(parseConfig({}), { runId: "run", nowMs: clock.now() });
  await store.createRun({ ...run, database: MINE });
  await store.transition("run", ["enqueued"], "running", {});
  await store.transition("run", ["running"], "succeeded", { finishedAtMs: clock.now() });
  const queue = createMemoryQueue({ clock, random: () => 0.5 });
  queue.redrive = async () => ({ moved: given.letters, left: 0 });
  const deps: ControlDeps = {
    store,
    queue,
    clock,
    random: () => 0.5,
    configure: () => parseConfig({}),
    limits: null,
    allowRelayFromEvent: false,
    database: () => (given.at instanceof Error ? Promise.reject(given.at) : Promise.resolve(given.at)),
    openDeadEvents: () => ({
      claim: async () => [],
      countUntriable: async () => given.untriable,
      list: async () => [],
      countByReason: async () => ({}),
      discard: async () => ({}),
      failedRepositories: async () => (given.dids ?? []).map((did) => ({ id: did, runId: "run", did })),
      handOver: async () => {},
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  };
  return (await control(deps, { action: "redrive" })).message;
}

test("issue 12.5: the answer to a redrive says which dead events cannot be redriven", async () => {
  expect(await redrive({ letters: 0, untriable: 3, at: MINE })).toMatch(
    /; 3 events stay dead, because no complete event was received \(bad-frame, seq-outlier, too-big and too-large/,
  );
  expect(await redrive({ letters: 0, untriable: 0, at: MINE })).not.toContain("stay dead");
});

test("issue 15.5: the answer to a redrive says how many repositories are read anew", async () => {
  const dids = ["did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"];
  const said = await redrive({ letters: 0, untriable: 1, dids, at: MINE });
  expect(said).toContain("; 1 events stay dead");
  expect(said).toMatch(/; 2 repositories that could not be read are requested to be read anew$/);
  expect(await redrive({ letters: 0, untriable: 3, at: MINE })).not.toContain("repositories");
});

test("fault 14: the answer to a redrive of a finished run says that this is another database", async () => {
  expect(await redrive({ letters: 2, untriable: 0, at: OTHER })).toMatch(
    /^2 dead letters .*; batches of run run stay in the queue until this is mended: DATABASE_URL is db:5432\/other, and run run writes to db:5432\/mine/,
  );
  for (const quiet of [
    await redrive({ letters: 2, untriable: 0, at: MINE }),
    await redrive({ letters: 0, untriable: 0, at: OTHER }),
  ])
    expect(quiet).not.toContain("until this is mended");
});

test("fault 14: where the database cannot be asked, the answer still says what was redriven", async () => {
  expect(await redrive({ letters: 2, untriable: 0, at: new Error('the schema "firehose" is gone') })).toMatch(
    /^2 dead letters and 0 dead events are back .* until this is mended: .*the schema "firehose" is gone/,
  );
});

test("issue 14.1: a redrive of one run takes its dead letters and dead events alone, and says whose they are", async () => {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock, random: () => 0.5 });
  const claimed: unknown[] = [];
  const deps: ControlDeps = {
    store,
    queue,
    clock,
    random: () => 0.5,
    configure: () => parseConfig({}),
    limits: null,
    allowRelayFromEvent: false,
    openDeadEvents: () => ({
      claim: async ({ runId }) => {
        claimed.push(runId);
        return [];
      },
      countUntriable: async ({ runId } = {}) => (runId === "long" ? 1 : 7),
      failedRepositories: async () => [],
      handOver: async () => {},
      list: async () => [],
      countByReason: async () => ({}),
      discard: async () => ({}),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  };
  for (const [runId, name, collection] of [
    ["long", null, "app.bsky.feed.post"],
    ["night", "nightly", "app.bsky.feed.like"],
  ] as const) {
    const config = parseConfig({ BACKFILL_COLLECTIONS: collection });
    await store.createRun(newRun(config, { runId, nowMs: clock.now(), ...(name === null ? {} : { name }) }));
    const key = { runId, generation: 1, window: 1, fence: 1, number: 0 };
    for (let number = 0; number < 3; number += 1) {
      const events = EventLog.of([recordEvent(number)]).slice();
      await queue.send([{ batch: { key: { ...key, number }, dueMs: 0, paceVersion: 1, events }, delaySeconds: 0 }]);
    }
  }
  for (const message of await queue.receive({ max: 10, waitSeconds: 0 })) await queue.deadLetter(message);

  const of = (run?: string) => control(deps, { action: "redrive", ...(run === undefined ? {} : { run }) });
  await expect(of("nobody")).rejects.toThrow(/^no run has the id or the name nobody/);
  expect(await queue.figures()).toMatchObject({ ready: 0, deadLetters: 6 });
  const nightly = await of("nightly");
  expect(nightly.message).toMatch(/^3 dead letters and 0 dead events of run night \(nightly\) are back in the queue/);
  expect(nightly.run?.runId).toBe("night");
  expect(await queue.figures()).toMatchObject({ ready: 3, deadLetters: 3 });
  expect((await of("long")).message).toMatch(/^3 dead letters .* of run long are back .*; 1 events stay dead/);
  expect(claimed).toEqual(["night", "long"]);
  // Without a run: whatever is dead, of all of them.
  expect((await of()).message).toMatch(/^0 dead letters and 0 dead events are back/);
  expect(claimed.at(-1)).toBeUndefined();
});
