import { describe, expect, test } from "vitest";
import { createDatabase, query, recordRow, request, testSink } from "@firehose-backfill/testing/sink/rows";
import { useServer } from "@firehose-backfill/testing/sink/server";
import { systemClock } from "@firehose-backfill/core/clock";
import { openDatabase } from "../connection.ts";
import { removeOldTombstones } from "../tombstones.ts";
import { migrate } from "./migrate.ts";
import { MIGRATIONS, SCHEMA_VERSION } from "./migrations.ts";
import { COUNT_VIEW_NAMES, VIEW_NAMES } from "./more-views.ts";

/** As a newer program leaves it. */
const NEWER = `INSERT INTO firehose.schema_version VALUES (${SCHEMA_VERSION + 1}, now())`;

test("versions count from 1 without a gap", () => {
  expect(MIGRATIONS.map(({ version }) => version)).toEqual(Array.from({ length: SCHEMA_VERSION }, (_, i) => i + 1));
});

// That the same statements do on the oldest Postgres is seen in sink.test.ts.
describe("migrate", () => {
  const server = useServer();

  const empty = () => createDatabase(server.databaseUrl, { migrated: false });

  test("makes the tables as they are documented, and leaves the others alone", async () => {
    const databaseUrl = await empty();
    await query(databaseUrl, "CREATE TABLE records (mine int)");
    expect(await migrate({ databaseUrl })).toEqual({ from: 0, to: SCHEMA_VERSION });
    const columns = await query(
      databaseUrl,
      `SELECT table_schema || '.' || table_name, string_agg(column_name, ' ' ORDER BY ordinal_position)
       FROM information_schema.columns WHERE table_schema IN ('firehose', 'public') GROUP BY 1 ORDER BY 1`,
    );
    const found = Object.fromEntries(columns);
    for (const name of VIEW_NAMES) {
      expect(found[`firehose.${name}`]).toMatch(/^uri did rkey cid .*created_at indexed_at seq$/);
      delete found[`firehose.${name}`];
    }
    for (const name of COUNT_VIEW_NAMES) {
      expect(found[`firehose.${name}`]).toMatch(/^(uri|did) count$/);
      delete found[`firehose.${name}`];
    }
    expect(found).toEqual({
      "firehose.change_feed": "is_only tombstones_gone",
      "firehose.dead_events":
        "id run_id seq did path reason error payload created_at event redriven_at applied_at applied_by",
      "firehose.handles": "did handle state is_verified known_at",
      "firehose.live_records": "did collection rkey cid rev seq record indexed_at",
      "firehose.records": "did collection rkey cid rev seq record indexed_at host xid",
      "firehose.repos":
        "did handle handle_at handle_seq active status status_at status_seq purged_at purged_seq rev updated_at status_marks handle_marks purge_marks proved xid purged_xid chain handle_check",
      "firehose.schema_version": "version applied_at database_id usable_from",
      "public.records": "mine",
    });
  });

  test("several at once: one does it, the others find it done", async () => {
    const databaseUrl = await empty();
    const reports = await Promise.all([1, 2, 3, 4].map(() => migrate({ databaseUrl })));
    expect(reports.map(({ from }) => from).toSorted((a, b) => a - b)).toEqual([
      0,
      SCHEMA_VERSION,
      SCHEMA_VERSION,
      SCHEMA_VERSION,
    ]);
  });

  test("issue 17.9: limits of the role or the database do not end a migration, which may take long", async () => {
    const settings = ["statement_timeout = '40ms'"];
    const databaseUrl = await createDatabase(server.databaseUrl, { migrated: false, settings });
    await query(
      server.databaseUrl,
      `ALTER DATABASE ${new URL(databaseUrl).pathname.slice(1)} SET transaction_timeout = '60ms'`,
    );
    await expect(query(databaseUrl, "SELECT pg_sleep(1)")).rejects.toThrow(/timeout/);
    expect(await migrate({ databaseUrl })).toEqual({ from: 0, to: SCHEMA_VERSION });
  });

  test("a role without CREATE on the database is told what it needs, and a schema of its own is enough", async () => {
    const databaseUrl = await empty();
    const role = `role_${new URL(databaseUrl).pathname.slice(1)}`;
    await query(databaseUrl, `CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
    const own = new URL(databaseUrl);
    own.username = role;
    own.password = "pw";
    await expect(migrate({ databaseUrl: own.href })).rejects.toMatchObject({
      kind: "broken",
      sqlState: "42501",
      message: expect.stringContaining("grant CREATE on the database"),
    });
    await query(databaseUrl, `CREATE SCHEMA firehose AUTHORIZATION ${role}`);
    expect(await migrate({ databaseUrl: own.href })).toMatchObject({ from: 0 });
    expect(await migrate({ databaseUrl: own.href })).toMatchObject({ from: SCHEMA_VERSION });
    await query(databaseUrl, `DROP OWNED BY ${role}`);
    await query(databaseUrl, `DROP ROLE ${role}`);
  });

  test("tables of someone else in that schema are not adopted", async () => {
    const databaseUrl = await empty();
    await query(databaseUrl, "CREATE SCHEMA firehose");
    await query(databaseUrl, "CREATE TABLE firehose.records (mine int)");
    await expect(migrate({ databaseUrl })).rejects.toMatchObject({
      kind: "broken",
      message: expect.stringContaining("tables of someone else"),
    });
    expect(await query(databaseUrl, "SELECT to_regclass('firehose.repos')")).toEqual([[null]]);
  });

  test.each([
    ["none", null, /no schema "firehose" yet/],
    ["a newer one", NEWER, /deploy the newer program/],
    ["an unfinished one", "DELETE FROM firehose.schema_version", /no schema "firehose" yet/],
  ])("a sink stops at the wrong schema: %s", async (_name, change, message) => {
    const databaseUrl = await createDatabase(server.databaseUrl, { migrated: change !== null });
    if (change !== null) await query(databaseUrl, change);
    await using sink = testSink(databaseUrl);
    const applying = sink.apply(...request([recordRow(1)]));
    await expect(applying).rejects.toMatchObject({ name: "SinkError", kind: "broken" });
    await expect(applying).rejects.toThrow(message);
  });

  test("an older program does not touch a newer schema", async () => {
    const databaseUrl = await createDatabase(server.databaseUrl);
    await query(databaseUrl, NEWER);
    await expect(migrate({ databaseUrl })).rejects.toMatchObject({ kind: "broken" });
  });

  test("issue 17.7: a database of version 4 keeps its rows, grants and the views on top; whoever could read reads on", async () => {
    const databaseUrl = await empty();
    const role = `old_${new URL(databaseUrl).pathname.slice(1)}`;
    const steps = MIGRATIONS.slice(0, 4).flatMap(({ version, statements }) => [
      ...statements,
      `INSERT INTO firehose.schema_version (version, applied_at) VALUES (${version}, now())`,
    ]);
    await query(databaseUrl, "CREATE SCHEMA firehose");
    await query(
      databaseUrl,
      "CREATE TABLE firehose.schema_version (version integer NOT NULL PRIMARY KEY, applied_at timestamptz NOT NULL)",
    );
    for (const sql of steps) await query(databaseUrl, sql);
    await query(
      databaseUrl,
      `INSERT INTO firehose.records (did, collection, rkey, cid, rev, seq, record, indexed_at)
       VALUES ('did:plc:old', 'app.bsky.feed.post', 'k', 'c', '3l', 1, '{"text": "old"}', now())`,
    );
    await query(databaseUrl, "CREATE VIEW public.on_top AS SELECT uri, text, seq FROM firehose.posts");
    await query(databaseUrl, `CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
    await query(databaseUrl, `CREATE ROLE ${role}_writer LOGIN PASSWORD 'pw'`);
    await query(databaseUrl, `GRANT USAGE ON SCHEMA firehose TO ${role}, ${role}_writer`);
    await query(databaseUrl, `GRANT SELECT ON ALL TABLES IN SCHEMA firehose TO ${role}`);
    await query(
      databaseUrl,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON firehose.records, firehose.repos, firehose.dead_events TO ${role}_writer`,
    );
    await query(databaseUrl, `GRANT SELECT ON firehose.schema_version TO ${role}_writer`);
    expect(await migrate({ databaseUrl })).toEqual({ from: 4, to: SCHEMA_VERSION });
    expect(await query(databaseUrl, "SELECT * FROM public.on_top")).toEqual([
      ["at://did:plc:old/app.bsky.feed.post/k", "old", "1"],
    ]);
    const as = (name: string) => {
      const url = new URL(databaseUrl);
      url.username = name;
      url.password = "pw";
      return url.href;
    };
    for (const name of [...VIEW_NAMES, ...COUNT_VIEW_NAMES, "change_feed", "handles"])
      await query(as(role), `SELECT * FROM firehose.${name}`);
    await query(as(role), "SELECT * FROM firehose.changes(firehose.change_token(), firehose.change_token())");
    // The role that applies batches, with no grant but those that it had.
    await using sink = testSink(as(`${role}_writer`));
    expect(await sink.apply(...request([recordRow(1)]))).toMatchObject({ kind: "applied", counts: { applied: 1 } });
    await using database = openDatabase({ databaseUrl: as(`${role}_writer`), poolSize: 1 });
    expect(await removeOldTombstones({ database, clock: systemClock })).toBe(0);
    await query(databaseUrl, `DROP OWNED BY ${role}, ${role}_writer`);
  });
});
