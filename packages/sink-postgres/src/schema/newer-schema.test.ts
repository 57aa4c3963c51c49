/** Programs of two versions at one database: what the older one does after the newer one has migrated it. */
import { systemClock } from "@firehose-backfill/core/clock";
import { createDatabase, query, recordRow, request, START_MS, testSink } from "@firehose-backfill/testing/sink/rows";
import { useServer } from "@firehose-backfill/testing/sink/server";
import { describe, expect, test } from "vitest";
import { openHandleList } from "../handle-list.ts";
import { openSink } from "../open-sink.ts";
import { migrate } from "./migrate.ts";
import { type Migration, MIGRATIONS, SCHEMA_VERSION } from "./migrations.ts";

/** A program after this one: a column in each table that this one does not know, and a default that it must not disturb. */
const ADDITIVE: Migration = {
  version: SCHEMA_VERSION + 1,
  statements: ["records", "repos", "dead_events"].map(
    (table) => `ALTER TABLE firehose.${table} ADD COLUMN of_a_newer_program text DEFAULT 'new'`,
  ),
  usableFrom: SCHEMA_VERSION,
};
const BREAKING: Migration = {
  version: SCHEMA_VERSION + 2,
  statements: ["ALTER TABLE firehose.records RENAME COLUMN seq TO position"],
};
const ROWS = "SELECT rkey FROM firehose.live_records ORDER BY rkey";

const server = useServer();

const deployedSink = (databaseUrl: string) =>
  openSink(databaseUrl).openSink({
    clock: systemClock,
    random: Math.random,
    poolSize: 1,
    throttleQuery: null,
    preparesItself: true,
  });

describe("issue 18.6: after a step that older programs can live with", () => {
  const withAdditive = async () => {
    const databaseUrl = await createDatabase(server.databaseUrl);
    expect(await migrate({ databaseUrl }, [...MIGRATIONS, ADDITIVE])).toEqual({
      from: SCHEMA_VERSION,
      to: SCHEMA_VERSION + 1,
    });
    return databaseUrl;
  };

  test("this program goes on applying, whether it was open before, is started now, or migrates first as a function does", async () => {
    const databaseUrl = await createDatabase(server.databaseUrl);
    await using before = testSink(databaseUrl);
    await before.apply(...request([recordRow(1)]));
    await migrate({ databaseUrl }, [...MIGRATIONS, ADDITIVE]);
    await using started = testSink(databaseUrl);
    await using deployed = deployedSink(databaseUrl);
    for (const [n, sink] of [before, started, deployed].entries())
      expect(await sink.apply(...request([recordRow(n + 2)]))).toMatchObject({ kind: "applied" });
    expect(await query(databaseUrl, ROWS)).toHaveLength(4);
  });

  test("a start of this program leaves the newer schema as it is, and doctor finds nothing wrong", async () => {
    const databaseUrl = await withAdditive();
    expect(await migrate({ databaseUrl })).toEqual({ from: SCHEMA_VERSION + 1, to: SCHEMA_VERSION + 1 });
    expect(await openSink(databaseUrl).examine()).toMatchObject({
      schemaVersion: SCHEMA_VERSION + 1,
      mismatch: null,
      problem: null,
    });
  });

  test("each newer step has to say so: one that does not makes the schema unusable", async () => {
    const databaseUrl = await withAdditive();
    await migrate({ databaseUrl }, [...MIGRATIONS, ADDITIVE, { ...BREAKING, statements: [] }]);
    await using sink = testSink(databaseUrl);
    await expect(sink.apply(...request([recordRow(1)]))).rejects.toThrow(/deploy the newer program/);
  });

  test("a step that only a program after this one can live with is not for this one", async () => {
    const databaseUrl = await createDatabase(server.databaseUrl);
    await migrate({ databaseUrl }, [...MIGRATIONS, { ...ADDITIVE, usableFrom: SCHEMA_VERSION + 1 }]);
    await expect(migrate({ databaseUrl })).rejects.toThrow(/deploy the newer program/);
  });
});

test("issue 18.6: a function that meets a schema it cannot use waits: its run is not stopped, and the batch is not at fault", async () => {
  const databaseUrl = await createDatabase(server.databaseUrl);
  await migrate({ databaseUrl }, [...MIGRATIONS, ADDITIVE, BREAKING]);
  await using sink = deployedSink(databaseUrl);
  for (const _ of ["first", "second"])
    await expect(sink.apply(...request([recordRow(1)]))).rejects.toMatchObject({
      kind: "service",
      message: expect.stringContaining("deploy the newer program"),
    });
});

test("issue 18.6: a program of schema 7 works on under schema 8: where it stores a newer handle, the check of the one before no longer counts", async () => {
  const databaseUrl = await createDatabase(server.databaseUrl);
  await migrate({ databaseUrl });
  const before = MIGRATIONS.length - 1;
  expect(
    await query(databaseUrl, `SELECT usable_from <= ${before} FROM firehose.schema_version WHERE version = 8`),
  ).toEqual([["t"]]);
  await using sink = testSink(databaseUrl);
  const did = "did:plc:alice";
  const checked = { kind: "identity", did, seq: 0, timeMs: START_MS, handle: "old.test", check: "verified" } as const;
  await sink.apply(...request([checked], { host: "handles" }));
  const shown = () => query(databaseUrl, "SELECT handle, state, is_verified FROM firehose.handles");
  expect(await shown()).toEqual([["old.test", "verified", "t"]]);
  const list = openHandleList({ databaseUrl });
  expect(await list.next("", 10)).toEqual([]);
  // All that such a program writes for an identity event.
  await query(
    databaseUrl,
    `UPDATE firehose.repos SET handle = 'new.test', handle_at = handle_at + interval '1 hour', handle_seq = 7,
       handle_marks = handle_marks || '{"1": {"seq": 7, "at": 9999999999999, "handle": "new.test"}}'`,
  );
  expect(await shown()).toEqual([["new.test", "unchecked", "f"]]);
  expect(await list.next("", 10)).toEqual([did]);
});
