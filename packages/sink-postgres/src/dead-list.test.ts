/** What an operator sees of dead events, and what happens to a batch if one of its dead events is discarded. */
import type { RecordEvent } from "@firehose-backfill/core/event";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyTo, deadRow, liveIn, recordRow, request, SERVERS, sqlOn } from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";
import type { ClaimedEvent, DeadEvents, ListDeadOptions } from "@firehose-backfill/sink/dead-events";
import { openDeadEvents } from "./redriven.ts";

const NOW = Date.UTC(2026, 2, 1);

describe.each(SERVERS)("on $name", ({ binDir }) => {
  const at = useSink({ binDir, poolSize: 4 });
  let dead: DeadEvents;

  beforeAll(() => {
    dead = openDeadEvents({ databaseUrl: at.databaseUrl });
  });

  afterAll(() => dead[Symbol.asyncDispose]());

  const seqs = async (options: Partial<ListDeadOptions> = {}) =>
    (await dead.list({ limit: 100, ...options })).map(({ seq }) => seq);
  const refused = (n: number) => recordRow(n, { json: "?", event: eventOf(n) });
  const redrive = async (claimed: readonly ClaimedEvent[]) => {
    const rows = claimed.map(({ event }) => recordRow(event.seq));
    const result = await at.sink.apply(...request(rows, { deadEventIds: claimed.map(({ id }) => id) }));
    return result.kind === "applied" ? result.counts : null;
  };

  test("issue 17.4: dead events are listed with what happened before, the newest run first, filtered and a page at a time", async () => {
    await applyTo(at.sink, [refused(3), refused(1), deadRow(2, { reason: "bad-frame" })]);
    await at.sink.apply(...request([deadRow(9)], { key: { runId: "run-2" } }));
    expect(await seqs()).toEqual([9, 1, 2, 3]);
    expect(await seqs({ runId: "run-1", reason: "bad-frame" })).toEqual([2]);
    const [first, second] = await dead.list({ limit: 2 });
    expect(await seqs(first === undefined ? {} : { after: first })).toEqual([1, 2, 3]);
    expect(await seqs(second === undefined ? {} : { after: second })).toEqual([2, 3]);
    expect(await dead.countByReason()).toEqual({ "database-22P02": 2, "bad-frame": 1, "missing-block": 1 });
    expect(await dead.countByReason("run-2")).toEqual({ "missing-block": 1 });
    expect(second).toMatchObject({ redrivenAt: null, appliedAt: null, appliedBy: null, event: eventOf(1) });

    const { id = "" } = second ?? {};
    expect(await redrive(await dead.claim({ sinceMs: NOW, nowMs: NOW, limit: 10, id }))).toMatchObject({ applied: 1 });
    expect(await seqs({ id })).toEqual([]);
    const [applied] = await dead.list({ id, limit: 1, withApplied: true });
    expect(applied).toMatchObject({ redrivenAt: new Date(NOW).toISOString(), appliedBy: "1/1/1/0" });
    expect(Date.parse(applied?.appliedAt ?? "")).toBeGreaterThan(NOW);
  });

  test("issue 17.4: an event that is larger than was asked for is left out, and its size is told", async () => {
    await applyTo(at.sink, [recordRow(1, { json: "?", event: eventOf(1, { record: new Uint8Array(200_000) }) })]);
    await applyTo(at.sink, [deadRow(2)]);
    const list = await dead.list({ limit: 10, maxEventBytes: 100_000 });
    expect(list.map(({ event, eventBytes }) => [event, (eventBytes ?? 0) > 200_000])).toEqual([
      [null, true],
      [null, false],
    ]);
    expect(list[1]?.eventBytes).toBeNull();
    const [whole] = await dead.list({ limit: 1, id: list[0]?.id ?? "" });
    expect(whole?.event).toMatchObject({ kind: "record", record: new Uint8Array(200_000) });
  });

  test("issue 17.4: discarding takes rows by id, by reason or by run, and never one that was applied", async () => {
    await applyTo(at.sink, [refused(1), refused(2), deadRow(3, { reason: "bad-frame" }), deadRow(4)]);
    await at.sink.apply(...request([deadRow(9)], { key: { runId: "run-2" } }));
    const [, first] = await dead.list({ limit: 2 });
    await redrive(await dead.claim({ sinceMs: NOW, nowMs: NOW, limit: 10, id: first?.id ?? "" }));
    expect(await dead.discard({ id: first?.id ?? "" })).toEqual({});
    expect(await dead.discard({ reason: "bad-frame" })).toEqual({ "run-1": 1 });
    expect(await dead.discard({ runId: "run-2", reason: "bad-frame" })).toEqual({});
    expect(await dead.discard({})).toEqual({ "run-1": 2, "run-2": 1 });
    expect(await sqlOn(at.sink, "SELECT seq FROM firehose.dead_events")).toEqual([["1"]]);
  });

  test("issue 17.4: what is discarded while it is in the queue is not applied, and stays counted as dead", async () => {
    await applyTo(at.sink, [refused(1), refused(2)]);
    const claimed = await dead.claim({ sinceMs: NOW, nowMs: NOW, limit: 10 });
    expect(await dead.discard({ id: claimed[0]?.id ?? "" })).toEqual({ "run-1": 1 });
    expect(await redrive(claimed)).toEqual({ applied: 1, stale: 0, dead: 1, deadReasons: { discarded: 1 } });
    expect((await liveIn(at.sink)).map(([rkey]) => rkey)).toEqual(["rkey2"]);
    // The same batch again counts the same.
    expect(await redrive(claimed)).toEqual({ applied: 0, stale: 1, dead: 1, deadReasons: { discarded: 1 } });
  });

  test("issue 17.4: a row that a batch holds locked is not discarded", async () => {
    await applyTo(at.sink, [refused(1)]);
    await at.sink.database.use(
      [{ sql: "BEGIN" }, { sql: "SELECT id FROM firehose.dead_events FOR UPDATE" }],
      async (session) => {
        expect(await dead.discard({})).toEqual({});
        await session.run([{ sql: "ROLLBACK" }]);
      },
    );
    expect(await dead.discard({})).toEqual({ "run-1": 1 });
  });
});

function eventOf(n: number, fields: Partial<RecordEvent> = {}): RecordEvent {
  const { did, collection, rkey, rev, seq, timeMs } = recordRow(n);
  const body = { cid: new Uint8Array(36), record: new Uint8Array(10).fill(n) };
  return { kind: "record", action: "create", did, collection, rkey, rev, seq, timeMs, ...body, ...fields };
}
