/** Dead events that are tried again are claimed once, counted once and applied once. Those that still fail stay dead. */
import type { RecordEvent } from "@firehose-backfill/core/event";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countDead } from "./dead-list.ts";
import { openDeadEvents } from "./redriven.ts";
import {
  accountRow,
  applyTo,
  deadRow,
  liveIn,
  recordRow,
  request,
  SERVERS,
  sqlOn,
} from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";
import type { ClaimedEvent, DeadEvents } from "@firehose-backfill/sink/dead-events";
import type { RecordRow } from "@firehose-backfill/sink/rows";

const NOW = Date.UTC(2026, 2, 1);

describe.each(SERVERS)("on $name", ({ binDir }) => {
  const at = useSink({ binDir, poolSize: 4 });
  let dead: DeadEvents;

  beforeAll(() => {
    dead = openDeadEvents({ databaseUrl: at.databaseUrl });
  });

  afterAll(() => dead[Symbol.asyncDispose]());

  const claim = (options: Partial<Parameters<DeadEvents["claim"]>[0]> = {}) =>
    dead.claim({ sinceMs: NOW, nowMs: NOW, limit: 100, ...options });
  const redrive = async (fence: number, claimed: readonly ClaimedEvent[], rows: readonly RecordRow[]) => {
    const result = await at.sink.apply(...request(rows, { key: { fence }, deadEventIds: claimed.map(({ id }) => id) }));
    return result.kind === "applied" ? result.counts : null;
  };

  test("an event that the database refused is kept whole, and one that is none can only be counted", async () => {
    const large = new Uint8Array(200_000).fill(9);
    const marker = accountRow(3, { status: "a\0" });
    await applyTo(at.sink, [recordRow(1, { json: "?", event: eventOf(1, { record: large }) }), marker, deadRow(2)]);
    expect(await claim()).toEqual([
      { id: expect.any(String), runId: "run-1", reason: "database-22P02", event: eventOf(1, { record: large }) },
      { id: expect.any(String), runId: "run-1", reason: "database-22P05", event: marker },
    ]);
    expect(await dead.countUntriable()).toBe(1);
  });

  test("issue 15.2: repositories that could not be read are named, so that they can be walked again; broken frames are not", async () => {
    await applyTo(at.sink, [
      deadRow(0, { did: "did:plc:b", path: null, reason: "host-dead" }),
      deadRow(0, { did: "did:plc:a", path: null, reason: "bad-signature" }),
      deadRow(0, { did: "did:plc:a", path: null, reason: "no-endpoint" }),
      deadRow(7, { did: "did:plc:c", path: null, reason: "too-big" }),
    ]);
    const failed = await dead.failedRepositories({ limit: 10 });
    expect(failed.map(({ did, runId }) => [did, runId])).toEqual([
      ["did:plc:a", "run-1"],
      ["did:plc:a", "run-1"],
      ["did:plc:b", "run-1"],
    ]);
    expect(await dead.failedRepositories({ limit: 2 })).toHaveLength(2);
    expect(await dead.failedRepositories({ limit: 10, runId: "another" })).toEqual([]);
    expect(await dead.countUntriable()).toBe(4);

    await dead.handOver(failed.slice(0, 2).map(({ id }) => id));
    expect((await dead.failedRepositories({ limit: 10 })).map(({ did }) => did)).toEqual(["did:plc:b"]);
    expect(await dead.countUntriable()).toBe(2);
    expect(await dead.countByReason()).toEqual({ "host-dead": 1, "too-big": 1 });
    const [closed] = await dead.list({ id: failed[0]?.id ?? "", limit: 1, withApplied: true });
    expect(closed).toMatchObject({ appliedBy: "resync" });
  });

  test("what cannot be encoded is dead all the same", async () => {
    await applyTo(at.sink, [recordRow(1, { json: "?", event: eventOf(1, { timeMs: Number.NaN }) })]);
    expect(await countDead(at.sink.database, "run-1")).toEqual({ "database-22P02": 1 });
    expect(await dead.countUntriable()).toBe(1);
  });

  test("issue 14.1: of one run alone, events are claimed and counted", async () => {
    await applyTo(at.sink, [recordRow(1, { json: "?", event: eventOf(1) }), deadRow(2)]);
    expect(await claim({ runId: "another" })).toEqual([]);
    expect(await dead.countUntriable({ runId: "another" })).toBe(0);
    expect(await dead.countUntriable({ runId: "run-1" })).toBe(1);
    expect(await claim({ runId: "run-1" })).toMatchObject([{ runId: "run-1" }]);
  });

  test("issue 17.4: of one reason alone, events are claimed and counted", async () => {
    await applyTo(at.sink, [
      recordRow(1, { json: "?", event: eventOf(1) }),
      deadRow(2),
      deadRow(3, { did: "did:plc:b", path: null, reason: "not-found", seq: 0 }),
    ]);
    expect(await claim({ reason: "missing-block" })).toEqual([]);
    expect(await dead.countUntriable({ reason: "missing-block" })).toBe(1);
    expect(await dead.countUntriable({ reason: "database-22P02", runId: "run-1" })).toBe(0);
    expect(await dead.failedRepositories({ limit: 9, reason: "not-found" })).toMatchObject([{ did: "did:plc:b" }]);
    expect(await dead.failedRepositories({ limit: 9, reason: "missing-block" })).toEqual([]);
    expect(await claim({ reason: "database-22P02", runId: "another" })).toEqual([]);
    expect(await claim({ reason: "database-22P02" })).toMatchObject([{ reason: "database-22P02" }]);
  });

  test("a claim takes those that were tried longest ago, each once, a limited number at a time", async () => {
    const megabyte = new Uint8Array(1_000_000);
    const rows = Array.from({ length: 6 }, (_, n) =>
      recordRow(n, { json: "?", event: eventOf(n, { record: megabyte }) }),
    );
    await applyTo(at.sink, rows);
    const seqs = async (options: Parameters<typeof claim>[0] = {}) =>
      (await claim(options)).map(({ event }) => event.seq);
    expect(await seqs()).toEqual([0, 1, 2, 3]);
    expect(await seqs()).toEqual([4, 5]);
    expect(await seqs()).toEqual([]);
    expect(await seqs({ sinceMs: NOW + 1, nowMs: NOW + 1, limit: 1 })).toEqual([0]);
    const both = await Promise.all([
      seqs({ sinceMs: NOW + 2, nowMs: NOW + 2 }),
      seqs({ sinceMs: NOW + 2, nowMs: NOW + 2 }),
    ]);
    expect(new Set(both.flat()).size).toBe(both.flat().length);
  });

  test("applied, it is dead no more, in one transaction; what the database still refuses stays, with its reason", async () => {
    await applyTo(
      at.sink,
      [1, 2, 3].map((n) => recordRow(n, { json: "?", event: eventOf(n) })),
    );
    const claimed = await claim();
    expect(await redrive(1, claimed, [recordRow(1), recordRow(2, { json: "?" }), recordRow(3)])).toEqual({
      applied: 2,
      stale: 0,
      dead: 1,
      deadReasons: { "database-22P02": 1 },
    });
    expect((await liveIn(at.sink)).map(([rkey]) => rkey)).toEqual(["rkey1", "rkey3"]);
    expect(await countDead(at.sink.database, "run-1")).toEqual({ "database-22P02": 1 });
    expect((await claim({ sinceMs: NOW + 1 })).map(({ event }) => event.seq)).toEqual([2]);
    // And nothing is there twice.
    expect(
      await sqlOn(at.sink, "SELECT count(*), count(applied_at), count(applied_by) FROM firehose.dead_events"),
    ).toEqual([["3", "2", "2"]]);
  });

  test("the same batch counts the same when it comes again; a second redrive of the same events counts nothing", async () => {
    await applyTo(
      at.sink,
      [1, 2].map((n) => recordRow(n, { json: "?", event: eventOf(n) })),
    );
    const claimed = await claim();
    const rows = [recordRow(1), recordRow(2)];
    expect(await redrive(1, claimed, rows)).toEqual({ applied: 2, stale: 0, dead: 0, deadReasons: {} });
    expect(await redrive(1, claimed, rows)).toEqual({ applied: 0, stale: 2, dead: 0, deadReasons: {} });
    expect(await redrive(2, claimed, rows)).toEqual({
      applied: 0,
      stale: 0,
      dead: 2,
      deadReasons: { "database-22P02": 2 },
    });
    expect(await sqlOn(at.sink, "SELECT DISTINCT applied_by FROM firehose.dead_events")).toEqual([["1/1/1/0"]]);
  });

  test("an event for which a newer row has come meanwhile is stale, and not dead any more", async () => {
    await applyTo(at.sink, [recordRow(1, { json: "?", event: eventOf(1) })]);
    await applyTo(at.sink, [recordRow(5, { rkey: "rkey1" })]);
    expect(await redrive(1, await claim(), [recordRow(1)])).toMatchObject({ applied: 0, stale: 1, dead: 0 });
    expect((await liveIn(at.sink)).map(([, cid]) => cid)).toEqual(["cid5"]);
  });
});

function eventOf(n: number, fields: Partial<RecordEvent> = {}): RecordEvent {
  const { did, collection, rkey, rev, seq, timeMs } = recordRow(n);
  const body = { cid: new Uint8Array(36), record: new Uint8Array(10).fill(n) };
  return { kind: "record", action: "create", did, collection, rkey, rev, seq, timeMs, ...body, ...fields };
}
