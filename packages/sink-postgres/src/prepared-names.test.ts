/** That the server keeps the plans of a batch's statements, and that a batch passes where it cannot. */
import { expect, test } from "vitest";
import { applyTo, createDatabase, recordRow, sqlOn, testSink } from "@firehose-backfill/testing/sink/rows";
import { useServer } from "@firehose-backfill/testing/sink/server";
import { createPreparedNames, isUnprepared } from "./prepared-names.ts";
import { StatementError } from "./sink-error.ts";

const server = useServer();

const PREPARED = "SELECT count(*), min(generic_plans) > 0 FROM pg_prepared_statements WHERE name LIKE 'firehose%'";

/** Batch `number`: records of 50 repos. */
function batch(number: number) {
  return Array.from({ length: 50 }, (_, n) => recordRow(number * 50 + n, { did: `did:plc:${number}-${n}` }));
}

test("issue 19.2: the plans that the server keeps read no table as a whole, also if they were made while it was empty", async () => {
  await using sink = testSink(await createDatabase(server.databaseUrl));
  for (const table of ["records", "repos"])
    await sqlOn(sink, `ALTER TABLE firehose.${table} SET (autovacuum_enabled = off)`);
  const scans = async () => {
    await sqlOn(sink, "SELECT pg_stat_force_next_flush()");
    const tables = "('firehose.records'::regclass, 'firehose.repos'::regclass)";
    return sqlOn(
      sink,
      `SELECT sum(pg_stat_get_numscans(oid)), sum(pg_stat_get_tuples_inserted(oid)) FROM pg_class WHERE oid IN ${tables}`,
    );
  };
  // Those of the migration.
  const [[before, none] = []] = await scans();
  for (let number = 0; number < 20; number++) await applyTo(sink, batch(number));
  expect(await sqlOn(sink, PREPARED)).toEqual([["5", "t"]]);
  expect(none).toBe("0");
  expect(await scans()).toEqual([[before, "2000"]]);
});

test("issue 19.2: behind a pooler that loses prepared statements a batch passes all the same, and nothing is prepared after that", async () => {
  await using sink = testSink(await createDatabase(server.databaseUrl));
  expect(await applyTo(sink, batch(0))).toEqual({ applied: 50, stale: 0, dead: 0 });
  expect(await sqlOn(sink, PREPARED)).toEqual([["5", expect.anything()]]);
  // The next transaction comes to a session that has none of ours.
  await sqlOn(sink, "DEALLOCATE ALL");
  expect(await applyTo(sink, batch(1))).toEqual({ applied: 50, stale: 0, dead: 0 });
  expect(await applyTo(sink, batch(2))).toEqual({ applied: 50, stale: 0, dead: 0 });
  expect(await sqlOn(sink, PREPARED)).toEqual([["0", null]]);
  expect(await sqlOn(sink, "SELECT count(*) FROM firehose.records")).toEqual([["150"]]);
});

test("issue 19.2: they are lost in the middle of a batch with a refused row: every row is counted once", async () => {
  await using sink = testSink(await createDatabase(server.databaseUrl));
  await applyTo(sink, batch(0));
  await sqlOn(
    sink,
    `CREATE FUNCTION firehose.lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DEALLOCATE ALL; RETURN NULL; END $$`,
  );
  await sqlOn(sink, "CREATE TRIGGER lose AFTER INSERT ON firehose.repos EXECUTE FUNCTION firehose.lose()");
  const rows = batch(1).map((row, n) => (n === 30 ? { ...row, json: "{" } : row));
  expect(await applyTo(sink, rows)).toEqual({ applied: 49, stale: 0, dead: 1 });
  expect(await applyTo(sink, rows)).toEqual({ applied: 0, stale: 49, dead: 1 });
  expect(await sqlOn(sink, PREPARED)).toEqual([["0", null]]);
});

test("issue 19.2: a session that has a statement of that name already, of somebody else, gets ours", async () => {
  await using sink = testSink(await createDatabase(server.databaseUrl));
  await applyTo(sink, batch(0));
  const names = await sqlOn(sink, "SELECT name FROM pg_prepared_statements WHERE name LIKE 'firehose%'");
  await using other = testSink(await createDatabase(server.databaseUrl));
  for (const [name] of names) await sqlOn(other, `PREPARE ${name} AS SELECT 1`);
  expect(await applyTo(other, batch(1))).toEqual({ applied: 50, stale: 0, dead: 0 });
  expect(await sqlOn(other, "SELECT count(*) FROM firehose.records")).toEqual([["50"]]);
});

test("issue 19.2: of two connections that lose their statements at the same time, both try again; after that neither does", () => {
  const newConnection = createPreparedNames();
  const [one, other] = [newConnection(), newConnection()];
  const statement = { sql: "SELECT 1", isPrepared: true };
  const missing = () => new StatementError("prepared statement does not exist", "26000");
  for (const names of [one, other]) {
    names.of(statement);
    names.wereParsed([statement]);
  }
  // Both round trips are under way.
  for (const names of [one, other]) expect(names.of(statement)).toMatchObject({ isParsed: true });
  for (const names of [one, other]) expect(isUnprepared(names.explain(missing()))).toBe(true);
  for (const names of [one, other]) {
    expect(names.of(statement)).toEqual({ name: "", isParsed: false });
    expect(isUnprepared(names.explain(missing()))).toBe(false);
  }
});

test("a statement that is missing without a name is not tried again", () => {
  expect(new StatementError("missing", "26000").verdict).toBe("service");
});
