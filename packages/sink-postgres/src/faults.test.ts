/** Database problems that users reported, on a real server: each error is attributed to the right cause, and nothing is lost or hidden. */
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "@firehose-backfill/core/clock";
import { describe, expect, test } from "vitest";
import { countDead, listDead } from "./dead-list.ts";
import { openDatabase } from "./connection.ts";
import { readIdentity } from "./identity.ts";
import {
  applyTo,
  createDatabase,
  query,
  recordRow,
  request,
  SERVERS,
  sqlOn,
  testSink,
} from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";

describe.each(SERVERS)("on $name", ({ binDir }) => {
  const at = useSink({ binDir, poolSize: 2 });

  const sql = (text: string) => sqlOn(at.sink, text);

  /** Creates a user's trigger for the duration of a test. */
  async function withTrigger<T>(body: string, work: () => Promise<T>, when = "BEFORE INSERT OR UPDATE"): Promise<T> {
    await sql(
      `CREATE FUNCTION public.users_own() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN ${body} RETURN NEW; END $f$`,
    );
    const kind = when.startsWith("CONSTRAINT") ? "CONSTRAINT TRIGGER" : "TRIGGER";
    await sql(
      `CREATE ${kind} users_own ${when.replace("CONSTRAINT ", "")} ON firehose.records ${kind === "TRIGGER" ? "" : "DEFERRABLE INITIALLY DEFERRED"} FOR EACH ROW EXECUTE FUNCTION public.users_own()`,
    );
    try {
      return await work();
    } finally {
      await sql("DROP FUNCTION public.users_own() CASCADE");
    }
  }

  const rows = Array.from({ length: 30 }, (_, n) => recordRow(n, { did: `did:plc:r${n % 4}` }));
  /** Three of them. */
  const BAD = "NEW.rkey IN ('rkey3', 'rkey4', 'rkey20')";

  describe("fault 11: a trigger of the user raises for some rows: those are dead, the rest is applied", () => {
    test.each([
      ["RAISE EXCEPTION 'not this one'", "P0001", /not this one/],
      ["RAISE EXCEPTION 'mine' USING ERRCODE = 'ABC12'", "ABC12", /mine/],
      ["PERFORM 1 / 0", "22012", /division by zero/],
      ["INSERT INTO public.gone VALUES (1)", "42P01", /"public.gone" does not exist/],
      ["PERFORM no_such_function()", "42883", /no_such_function/],
      ["RAISE insufficient_privilege", "42501", /insufficient_privilege/],
      ["RAISE feature_not_supported", "0A000", /feature_not_supported/],
      ["RAISE invalid_schema_name", "3F000", /invalid_schema_name/],
      ["RAISE invalid_password", "28P01", /invalid_password/],
      ["RAISE cardinality_violation", "21000", /cardinality_violation/],
      ["RAISE foreign_key_violation", "23503", /foreign_key_violation/],
      ["ASSERT false, 'never'", "P0004", /never/],
      ["SELECT 1 INTO STRICT NEW.seq WHERE false", "P0002", /no rows/],
    ])("%s", async (statement, sqlState, message) => {
      await withTrigger(`IF ${BAD} THEN ${statement}; END IF;`, async () => {
        expect(await applyTo(at.sink, rows)).toEqual({ applied: 27, stale: 0, dead: 3 });
      });
      const dead = await listDead(at.sink.database, { runId: "run-1", limit: 10 });
      expect(dead.map(({ path }) => path?.split("/")[1])).toEqual(["rkey3", "rkey4", "rkey20"]);
      for (const each of dead) {
        expect(each.reason).toBe(`database-${sqlState}`);
        expect(each.error).toMatch(message);
      }
    });

    test("also one that is deferred to the commit", async () => {
      await withTrigger(
        `IF ${BAD} THEN RAISE EXCEPTION 'late'; END IF;`,
        async () => expect(await applyTo(at.sink, rows)).toEqual({ applied: 27, stale: 0, dead: 3 }),
        "CONSTRAINT AFTER INSERT",
      );
      expect(await countDead(at.sink.database, "run-1")).toEqual({ "database-P0001": 3 });
    });

    test("also where a row is alone in its batch", async () => {
      await withTrigger("RAISE EXCEPTION 'none';", async () => {
        expect(await applyTo(at.sink, [recordRow(1)])).toEqual({ applied: 0, stale: 0, dead: 1 });
      });
    });
  });

  test("fault 11: a privilege that is missing is no row's fault, also where the server shows parameters", async () => {
    const role = `poor_${at.databaseUrl.slice(-1)}`;
    await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
    await sql(`GRANT USAGE ON SCHEMA firehose TO ${role}`);
    await sql(`GRANT SELECT ON ALL TABLES IN SCHEMA firehose TO ${role}`);
    await sql(`ALTER ROLE ${role} SET log_parameter_max_length_on_error = 100`);
    const url = new URL(at.databaseUrl);
    url.username = role;
    url.password = "pw";
    await using sink = testSink(url.href);
    await expect(sink.apply(...request(rows))).rejects.toMatchObject({ kind: "broken", sqlState: "42501" });
    expect(await sql("SELECT count(*) FROM firehose.dead_events")).toEqual([["0"]]);
    await sql(`DROP OWNED BY ${role}`);
  });

  test.each(["XX000", "25P04", "55000", "58030", "72000", "08006", "57014"])(
    "fault 1: %s in the middle of a batch is the database's: nothing is written, nothing is dead",
    async (code) => {
      await withTrigger(`RAISE EXCEPTION 'away' USING ERRCODE = '${code}';`, async () => {
        await expect(at.sink.apply(...request(rows))).rejects.toMatchObject({ kind: "service", sqlState: code });
      });
      expect(await sql("SELECT count(*) FROM firehose.dead_events")).toEqual([["0"]]);
      expect(await applyTo(at.sink, rows)).toMatchObject({ applied: 30 });
    },
  );

  test.runIf(binDir === undefined)(
    "fault 1: transaction_timeout (25P04) ends the session: the database's (needs Postgres 17 or later)",
    async () => {
      const databaseUrl = await createDatabase(at.server.databaseUrl, { settings: ["transaction_timeout = '200ms'"] });
      await using sink = testSink(databaseUrl);
      const slow = request([recordRow(1)], { lock: { onHeld: () => sleep(400) } });
      await expect(sink.apply(...slow)).rejects.toMatchObject({ kind: "service" });
      expect(await sink.apply(...request([recordRow(1)]))).toMatchObject({ kind: "applied" });
    },
  );

  test("fault 12: a lock on the table says whose it is and what it does, and the batch passes after it", async () => {
    await using sink = testSink(at.databaseUrl, { timeouts: { lockMs: 100, retryForMs: 300 } });
    await sink.apply(...request([recordRow(0)]));
    await using holder = openDatabase({ databaseUrl: at.databaseUrl, poolSize: 1 });
    const build = [{ sql: "BEGIN" }, { sql: "CREATE INDEX slow_one ON firehose.records (seq)" }];
    await holder.use(build, async (session) => {
      const failure = sink.apply(...request([recordRow(1)]));
      await expect(failure).rejects.toMatchObject({ kind: "service", sqlState: "55P03" });
      await expect(failure).rejects.toThrow(
        /waits for a lock on firehose\.records held by pid \d+ \(idle in transaction after: CREATE INDEX slow_one/,
      );
      await session.run([{ sql: "ROLLBACK" }]);
    });
    expect(await sink.apply(...request([recordRow(1)]))).toMatchObject({ kind: "applied", counts: { applied: 1 } });
  });

  test("fault 12: the same for a lock on all tables, met by the first look, and for single rows", async () => {
    await using sink = testSink(at.databaseUrl, { timeouts: { lockMs: 100, retryForMs: 0 } });
    await using holder = openDatabase({ databaseUrl: at.databaseUrl, poolSize: 1 });
    const all = [{ sql: "BEGIN" }, { sql: "LOCK TABLE firehose.schema_version IN ACCESS EXCLUSIVE MODE" }];
    await holder.use(all, async (session) => {
      await expect(sink.apply(...request([recordRow(1)]))).rejects.toMatchObject({
        kind: "service",
        sqlState: "55P03",
      });
      await session.run([{ sql: "ROLLBACK" }]);
    });
    await sink.apply(...request([recordRow(1)]));
    const row = [{ sql: "BEGIN" }, { sql: "SELECT FROM firehose.repos FOR UPDATE" }];
    await holder.use(row, async (session) => {
      await expect(sink.apply(...request([recordRow(2)]))).rejects.toThrow(
        /waits for rows of firehose\.repos, probably held by pid/,
      );
      await session.run([{ sql: "ROLLBACK" }]);
    });
  });

  describe("fault 14: a run writes to one database", () => {
    test("a batch of a run of another one is not written; of a run without one, it binds", async () => {
      const found = await readIdentity({ databaseUrl: at.databaseUrl });
      expect(found.name).toMatch(/^127\.0\.0\.1:\d+\/test_\d+$/);
      const other = await createDatabase(at.server.databaseUrl);
      const theirs = await readIdentity({ databaseUrl: other });
      expect(theirs.id).not.toBe(found.id);
      const wrong = request([recordRow(1)], { database: { id: theirs.id ?? "", name: theirs.name } });
      await expect(at.sink.apply(...wrong)).rejects.toMatchObject({ kind: "broken" });
      await expect(at.sink.apply(...wrong)).rejects.toThrow(new RegExp(`${found.name}.*run-1.*${theirs.name}`));
      expect(await sql("SELECT count(*) FROM firehose.records")).toEqual([["0"]]);
      const asked: unknown[] = [];
      const unbound = request([recordRow(1)], {
        database: null,
        bind: async (here) => {
          asked.push(here);
          return here;
        },
      });
      expect(await at.sink.apply(...unbound)).toMatchObject({ kind: "applied" });
      expect(asked).toEqual([found]);
    });

    test("the id stays behind another address, and goes with the schema", async () => {
      const databaseUrl = await createDatabase(at.server.databaseUrl);
      const { id } = await readIdentity({ databaseUrl });
      const elsewhere = new URL(databaseUrl);
      elsewhere.hostname = "localhost";
      expect((await readIdentity({ databaseUrl: elsewhere.href })).id).toBe(id);
      await using sink = testSink(databaseUrl);
      await sink.apply(...request([recordRow(1)]));
      await query(databaseUrl, "DROP SCHEMA firehose CASCADE");
      expect((await readIdentity({ databaseUrl })).id).toBeNull();
      const applying = sink.apply(...request([recordRow(2)]));
      await expect(applying).rejects.toMatchObject({ kind: "broken" });
      await expect(applying).rejects.toThrow(/schema "firehose" is gone from 127/);
    });
  });

  test("issue 12.7: all round trips of a batch together have a limit", async () => {
    await using sink = testSink(at.databaseUrl, { useTimeoutMs: 300, roundTripTimeoutMs: 60_000 });
    await sink.apply(...request([recordRow(0)]));
    await withTrigger("PERFORM pg_sleep(5);", async () => {
      const began = systemClock.now();
      await expect(sink.apply(...request([recordRow(1)]))).rejects.toMatchObject({ kind: "service" });
      expect(systemClock.now() - began).toBeLessThan(3000);
    });
  });
});
