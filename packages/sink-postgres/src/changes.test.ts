/** The change feed on real servers. A program that follows it has the state of the tables, whatever other transactions are open. */
import type { Client } from "@neondatabase/serverless";
import { systemClock } from "@firehose-backfill/core/clock";
import type { Change, ChangePage } from "@firehose-backfill/sink/change-feed";
import { accountRow, applyTo, identityRow, recordRow, SERVERS, sqlOn } from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openChanges } from "./changes.ts";
import { clientConfig, clientFor } from "./client.ts";
import { openDatabase } from "./connection.ts";
import { parseDatabaseUrl } from "./database-url.ts";
import { removeOldTombstones } from "./tombstones.ts";

describe.each(SERVERS)("issue 17.9: the change feed on $name", ({ binDir }) => {
  const at = useSink({ binDir, poolSize: 2 });
  const sql = (text: string) => sqlOn(at.sink, text);
  const feed = () => openChanges(at.sink.database);

  /** Reads everything since that token in pages of that size. */
  async function readAll(since: string, limit = 100): Promise<ChangePage> {
    const entries: Change[] = [];
    for (let token = since; ;) {
      const page = await feed().changes(token, limit);
      entries.push(...page.entries);
      if (page.isEnd) return { entries, token: page.token, isEnd: true };
      expect(page.token).not.toBe(token);
      token = page.token;
    }
  }

  const keysOf = ({ entries }: ChangePage) =>
    entries.map((entry) => (entry.kind === "record" ? entry.rkey : `${entry.kind} ${entry.did}`));

  /** Opens another session of the same database, for a transaction that stays open. */
  async function withSession<T>(
    work: (run: (text: string) => Promise<unknown>, client: Client) => Promise<T>,
  ): Promise<T> {
    const options = { target: parseDatabaseUrl(at.databaseUrl), connectTimeoutMs: 10_000, webSocket: undefined };
    const client: Client = new (clientFor(options))(clientConfig(options));
    await client.connect();
    try {
      return await work((text) => client.query(text), client);
    } finally {
      await client.end();
    }
  }

  const insert = (rkey: string) =>
    `INSERT INTO firehose.records (did, collection, rkey, cid, rev, seq, record, indexed_at)
     VALUES ('did:plc:late', 'a.b.c', '${rkey}', 'cid', '3l', 1, '{}', now())`;

  test("gives what was written since, deletions included, and nothing a second time", async () => {
    await applyTo(at.sink, [recordRow(1), recordRow(2)]);
    const token = await feed().now();
    expect((await readAll(token)).entries).toEqual([]);
    await applyTo(at.sink, [recordRow(3), recordRow(4, { action: "delete", rkey: "rkey1" })]);
    await applyTo(at.sink, [recordRow(5)]);
    const page = await readAll(token);
    expect(keysOf(page)).toEqual(["rkey1", "rkey3", "rkey5"]);
    expect(page.entries[0]).toMatchObject({ isDeleted: true, cid: null, record: null, seq: 4 });
    expect((await readAll(page.token)).entries).toEqual([]);
    // A batch that is applied again changes nothing.
    await applyTo(at.sink, [recordRow(3)]);
    expect((await readAll(page.token)).entries).toEqual([]);
  });

  test("a transaction that stays open for long is not missed, and holds up nobody", async () => {
    const token = await feed().now();
    await withSession(async (open) => {
      await open("BEGIN");
      await open(insert("late"));
      await applyTo(at.sink, [recordRow(1)]);
      const first = await readAll(token);
      expect(keysOf(first)).toEqual(["rkey1"]);
      let last = first.token;
      for (let n = 2; n < 12; n++) {
        await applyTo(at.sink, [recordRow(n)]);
        const page = await readAll(last, 2);
        expect(keysOf(page)).toEqual([`rkey${n}`]);
        last = page.token;
      }
      await open("COMMIT");
      await applyTo(at.sink, [recordRow(12)]);
      // It comes first, because its number is the lowest.
      const late = await readAll(last);
      expect(keysOf(late)).toEqual(["late", "rkey12"]);
      expect((await readAll(late.token)).entries).toEqual([]);
    });
  });

  test("rolled back changes never come, also those after a savepoint; the rest of that transaction does", async () => {
    const token = await feed().now();
    await withSession(async (open) => {
      await open("BEGIN");
      await open(insert("gone"));
      await applyTo(at.sink, [recordRow(1)]);
      const before = await readAll(token);
      await open("ROLLBACK");
      expect((await readAll(before.token)).entries).toEqual([]);
      await open("BEGIN");
      await open("SAVEPOINT a");
      await open(insert("gone"));
      await open("ROLLBACK TO a");
      await open(insert("kept"));
      const during = await readAll(before.token);
      expect(during.entries).toEqual([]);
      await open("COMMIT");
      expect(keysOf(await readAll(during.token))).toEqual(["kept"]);
    });
  });

  test("pages are cut between transactions, and each token goes on where its page ended", async () => {
    const token = await feed().now();
    for (let batch = 0; batch < 6; batch++) {
      await applyTo(
        at.sink,
        [0, 1, 2].map((n) => recordRow(batch * 3 + n, { rkey: `r${batch}${n}` })),
      );
    }
    const sizes: number[] = [];
    const keys: string[] = [];
    for (let next = token; ;) {
      const page = await feed().changes(next, 4);
      if (page.entries.length > 0) sizes.push(page.entries.length);
      keys.push(...keysOf(page));
      next = page.token;
      if (page.isEnd) break;
    }
    expect(keys).toEqual([...keys].sort());
    expect(keys).toHaveLength(18);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4);
    expect(keysOf(await readAll(token, 2))).toEqual(keys);
  });

  test("accounts: status and handle, and a deletion with what was written since", async () => {
    await applyTo(at.sink, [recordRow(1), recordRow(2), recordRow(3, { did: "did:plc:bob" })]);
    const token = await feed().now();
    await applyTo(at.sink, [identityRow(4), accountRow(5, { did: "did:plc:bob", active: false, status: "suspended" })]);
    const changed = await readAll(token);
    expect(changed.entries).toEqual([
      { kind: "account", did: "did:plc:alice", active: null, status: null, handle: "alice.test" },
      { kind: "account", did: "did:plc:bob", active: false, status: "suspended", handle: null },
    ]);
    await applyTo(at.sink, [accountRow(6, { active: false, status: "deleted" })]);
    await applyTo(at.sink, [accountRow(7), recordRow(8)]);
    expect(keysOf(await readAll(changed.token))).toEqual([
      "purge did:plc:alice",
      "rkey8",
      "account did:plc:alice",
      "rkey8",
    ]);
  });

  test("issue 15.8: rows of a repository, which have no place in the stream, are in it as well", async () => {
    await sql("ALTER TABLE firehose.records ALTER COLUMN seq DROP NOT NULL");
    const token = await feed().now();
    await applyTo(at.sink, [recordRow(1)]);
    await sql(insert("proved").replace(", 1, '{}'", ", NULL, '{}'"));
    const { entries } = await readAll(token);
    expect(entries).toMatchObject([
      { rkey: "rkey1", seq: 1 },
      { rkey: "proved", seq: null },
    ]);
  });

  test("start: everything, in pages, and what changes meanwhile after it", async () => {
    await sql("ALTER TABLE firehose.records ALTER COLUMN xid DROP DEFAULT");
    await sql(insert("old"));
    await sql("ALTER TABLE firehose.records ALTER COLUMN xid SET DEFAULT pg_current_xact_id()::text::bigint");
    await applyTo(at.sink, [...[1, 2, 3, 4, 5].map((n) => recordRow(n)), identityRow(6)]);
    const keys: string[] = [];
    let token = "start";
    for (let pages = 0; ; pages++) {
      const page = await feed().changes(token, 2);
      keys.push(...keysOf(page));
      token = page.token;
      if (page.isEnd) break;
      if (pages === 2) await applyTo(at.sink, [recordRow(7, { action: "delete", rkey: "rkey1" })]);
    }
    expect(keys).toEqual(
      expect.arrayContaining(["account did:plc:alice", "rkey1", "rkey2", "rkey3", "rkey4", "rkey5", "old"]),
    );
    expect(keys.at(-1)).toBe("rkey1");
    expect((await readAll(token)).entries).toEqual([]);
  });

  test("whoever follows has the state of the table, in any interleaving", { timeout: 60_000 }, async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("write" as const), key: fc.nat(5), gone: fc.boolean() }),
      fc.record({ do: fc.constant("open" as const), session: fc.nat(1), key: fc.nat(5) }),
      fc.record({ do: fc.constantFrom("commit" as const, "rollback" as const), session: fc.nat(1) }),
      fc.record({ do: fc.constant("read" as const), limit: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ do: fc.constant("purge" as const) }),
    );
    let n = 100;
    await withSession((one) =>
      withSession(async (two) => {
        const sessions = [one, two];
        await fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
            await sql("DELETE FROM firehose.records");
            await sql("DELETE FROM firehose.repos");
            const open = new Set<number>();
            const copy = new Map<string, string | null>();
            let token = await feed().now();
            const follow = async (limit: number) => {
              const page = await readAll(token, limit);
              token = page.token;
              for (const entry of page.entries) {
                if (entry.kind === "record") copy.set(`${entry.did} ${entry.rkey}`, entry.cid);
                if (entry.kind === "purge")
                  for (const key of copy.keys()) if (key.startsWith(`${entry.did} `)) copy.delete(key);
              }
            };
            for (const each of steps) {
              n += 1;
              if (each.do === "write")
                await applyTo(at.sink, [
                  recordRow(n, { rkey: `k${each.key}`, ...(each.gone ? { action: "delete" as const } : {}) }),
                ]);
              else if (each.do === "purge")
                await applyTo(at.sink, [accountRow(n, { active: false, status: "deleted" })]);
              else if (each.do === "read") await follow(each.limit);
              else if (each.do === "open") {
                // Each session uses another key, so that no session waits for another.
                if (!open.has(each.session)) await sessions[each.session]?.("BEGIN");
                open.add(each.session);
                await sessions[each.session]?.(
                  `${insert(`s${each.session}-${each.key}`)} ON CONFLICT (did, collection, rkey)
                   DO UPDATE SET cid = '${n}', xid = excluded.xid`,
                );
              } else if (open.delete(each.session)) await sessions[each.session]?.(each.do);
            }
            for (const session of open) await sessions[session]?.("COMMIT");
            await follow(3);
            const rows = await sql("SELECT did || ' ' || rkey, cid FROM firehose.records ORDER BY 1");
            expect([...copy].sort(([a], [b]) => (a < b ? -1 : 1))).toEqual(rows);
          }),
          { numRuns: 25 },
        );
      }),
    );
  });

  test.each([
    ["nonsense", "hello", /no token/],
    ["of another database", "000000000000:5:5:", /another database/],
  ])("a token that is %s is refused", async (_name, token, message) => {
    await expect(feed().changes(token, 10)).rejects.toMatchObject({
      kind: "broken",
      message: expect.stringMatching(message),
    });
  });

  test("a token from the future, or of a database that was restored from a dump, is refused: copy again", async () => {
    const token = await feed().now();
    const [id = ""] = token.split(":");
    await expect(feed().changes(`${id}:9000000000:9000000000:`, 10)).rejects.toThrow(/future.*--since start/);
    const [before] = await sql("SELECT database_id FROM firehose.schema_version WHERE version = 1");
    await sql("UPDATE firehose.schema_version SET database_id = gen_random_uuid() WHERE version = 1");
    await expect(feed().changes(token, 10)).rejects.toThrow(/restored.*--since start/);
    await sql(`UPDATE firehose.schema_version SET database_id = '${before?.[0]}' WHERE version = 1`);
    expect((await readAll(token)).entries).toEqual([]);
  });

  test("a token from before a tombstone that is no longer there is refused, a later one is not", async () => {
    await applyTo(at.sink, [recordRow(1), recordRow(2)]);
    const before = await feed().now();
    await applyTo(at.sink, [recordRow(3, { action: "delete", rkey: "rkey1" })]);
    const after = await feed().now();
    const clock = { ...systemClock, now: () => Date.UTC(2026, 6, 1) };
    expect(await removeOldTombstones({ database: at.sink.database, clock })).toBe(1);
    await expect(feed().changes(before, 10)).rejects.toThrow(/too old/);
    expect((await readAll(after)).entries).toEqual([]);
    expect((await readAll("start")).entries).toHaveLength(1);
  });

  test("its indexes are kilobytes, and serve it", async () => {
    await sql(`INSERT INTO firehose.records SELECT 'did:plc:' || n % 1000, 'a.b.c', n::text, 'cid', '3l', n,
      '{"text": "some words that a row has"}', now() FROM generate_series(1, 60000) AS n`);
    const token = await feed().now();
    await applyTo(at.sink, [recordRow(1)]);
    await sql("ANALYZE firehose.records");
    const [[table, index] = []] = await sql(
      "SELECT pg_relation_size('firehose.records'), pg_relation_size('firehose.records_xid')",
    );
    expect(Number(table)).toBeGreaterThan(5_000_000);
    expect(Number(index)).toBeLessThan(50_000);
    const plan = await sql(`EXPLAIN SELECT * FROM firehose.changes('${token}', firehose.change_token())`);
    expect(plan.flat().join("\n")).toContain("Bitmap Index Scan on records_xid");
    expect(plan.flat().join("\n")).not.toContain("Seq Scan on records");
    expect(keysOf(await readAll(token))).toEqual(["rkey1"]);
  });

  test("a batch notifies once, where somebody wants it", async () => {
    await sql("SELECT firehose.notify_changes(true)");
    await withSession(async (run, client) => {
      let heard = 0;
      client.on("notification", ({ channel }) => (heard += channel === "firehose_changes" ? 1 : 0));
      await run("LISTEN firehose_changes");
      await applyTo(at.sink, [recordRow(1), recordRow(2, { did: "did:plc:bob" }), identityRow(3), accountRow(4)]);
      await run("SELECT 1");
      expect(heard).toBe(1);
      await applyTo(at.sink, [accountRow(5, { active: false, status: "deleted" })]);
      await run("SELECT 1");
      expect(heard).toBe(2);
      await sql("SELECT firehose.notify_changes(false)");
      await applyTo(at.sink, [recordRow(6)]);
      await run("SELECT 1");
      expect(heard).toBe(2);
    });
  });

  test("a role that may only read gets tokens of the same feed", async () => {
    const role = `reader_${at.databaseUrl.slice(-1)}`;
    await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
    await sql(`GRANT USAGE ON SCHEMA firehose TO ${role}`);
    await sql(`GRANT SELECT ON ALL TABLES IN SCHEMA firehose TO ${role}`);
    const url = new URL(at.databaseUrl);
    url.username = role;
    url.password = "pw";
    await using database = openDatabase({ databaseUrl: url.href, poolSize: 1 });
    const token = await feed().now();
    await applyTo(at.sink, [recordRow(1)]);
    const page = await openChanges(database).changes(token, 10);
    expect(keysOf(page)).toEqual(["rkey1"]);
    expect((await readAll(page.token)).entries).toEqual([]);
    await sql(`DROP OWNED BY ${role}`);
  });
});
