/** The errors of a database in trouble, caused on a real one: a full disk, a deadlock, a server that ends running statements. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openDatabase } from "./connection.ts";
import { recordRow, request, revOf, sqlOn } from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";

const at = useSink({ poolSize: 2 });

const sql = (text: string) => sqlOn(at.sink, text);

/** A trigger on the table raises the errors as the server does. */
test.each([
  ["a full disk", "53100"],
  ["no memory left", "53200"],
  ["too many connections", "53300"],
  ["a shutdown", "57P01"],
])(
  "%s is the service's error: nothing is written, no event is dead, and the same batch passes later",
  async (_, code) => {
    await sql(`CREATE FUNCTION firehose.fail() RETURNS trigger LANGUAGE plpgsql
               AS $$ BEGIN RAISE EXCEPTION 'no room for it' USING ERRCODE = '${code}'; END $$`);
    await sql("CREATE TRIGGER fail BEFORE INSERT ON firehose.records EXECUTE FUNCTION firehose.fail()");
    const batch = request([recordRow(1), recordRow(2)]);
    await expect(at.sink.apply(...batch)).rejects.toMatchObject({ name: "SinkError", kind: "service", sqlState: code });
    await sql("DROP FUNCTION firehose.fail() CASCADE");
    expect(
      await sql("SELECT count(*) FROM firehose.records UNION ALL SELECT count(*) FROM firehose.dead_events"),
    ).toEqual([["0"], ["0"]]);
    expect(await at.sink.apply(...batch)).toMatchObject({ kind: "applied", counts: { applied: 2, stale: 0, dead: 0 } });
  },
);

test("a connection that the server ends while the lock is held: the lock is free again, and the batch passes", async () => {
  let ended = 0;
  const batch = request([recordRow(1)], {
    lock: {
      maxConcurrent: 1,
      async onHeld() {
        if (ended > 0) return;
        await using admin = openDatabase({ databaseUrl: at.server.databaseUrl, poolSize: 1 });
        const statement = {
          sql: "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'",
        };
        ended = await admin.use([statement], (_session, [result]) => Promise.resolve(result?.count ?? 0));
      },
    },
  });
  await expect(at.sink.apply(...batch)).rejects.toMatchObject({ name: "SinkError", kind: "service" });
  expect(ended).toBe(1);
  expect(await at.sink.apply(...batch)).toMatchObject({ kind: "applied", counts: { applied: 1 } });
});

test("a deadlock with somebody else's transaction: the batch is tried again, and passes", async () => {
  const [first, second] = [{ did: "did:plc:a" }, { did: "did:plc:b" }];
  await at.sink.apply(...request([recordRow(1, first), recordRow(2, second)]));
  await using other = openDatabase({ databaseUrl: at.databaseUrl, poolSize: 1 });
  const hold = "SELECT 1 FROM firehose.records WHERE did =";
  // The batch locks the first row and waits for the second one. The session that holds the second one then waits for the first.
  const result = await other.use([{ sql: "BEGIN" }, { sql: `${hold} 'did:plc:b' FOR UPDATE` }], async (session) => {
    const updates = [recordRow(1, { ...first, rev: revOf(11) }), recordRow(2, { ...second, rev: revOf(12) })];
    const applying = at.sink.apply(...request(updates));
    await untilSomebodyWaits();
    await session.run([{ sql: `${hold} 'did:plc:a' FOR UPDATE` }, { sql: "COMMIT" }]);
    return await applying;
  });
  expect(result).toMatchObject({ kind: "applied", counts: { applied: 2, stale: 0, dead: 0 } });
  expect(await readFile(join(at.server.folder, "postgres.log"), "utf8")).toMatch(/ERROR:\s+deadlock detected/);
});

async function untilSomebodyWaits(): Promise<void> {
  const waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
  while ((await sql(waiting))[0]?.[0] !== "1") await sleep(10);
}
