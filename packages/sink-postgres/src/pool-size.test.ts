/** The pool's size may change while it is open. The server's number of connections follows it. */
import { expect, test } from "vitest";
import { type Database, openDatabase } from "./connection.ts";
import { useServer } from "@firehose-backfill/testing/sink/server";

const server = useServer();

test("down: it shrinks with the next uses; up: it grows when it is needed", async () => {
  let size = 5;
  await using database = openDatabase({
    databaseUrl: `${server.databaseUrl}&application_name=moving`,
    poolSize: () => size,
  });
  expect(await useAtOnce(database, 8)).toBe(5);
  size = 2;
  expect(database.pool()).toEqual({ used: 5, size: 2 });
  expect(await useAtOnce(database, 8)).toBe(2);
  expect(database.pool().used).toBe(2);
  size = 4;
  expect(await useAtOnce(database, 8)).toBe(4);
  expect(database.pool()).toEqual({ used: 4, size: 4 });
});

test("one that fails in use is closed before another takes its place", async () => {
  await using database = openDatabase({
    databaseUrl: `${server.databaseUrl}&application_name=failing`,
    poolSize: 1,
  });
  await using other = openDatabase({ databaseUrl: server.databaseUrl, poolSize: 1 });
  for (let round = 0; round < 5; round += 1) {
    await expect(database.use([], () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await countOf(other, "failing")).toBe(0);
  }
});

/** The largest number of open transactions at one moment, as the server saw it. */
async function useAtOnce(database: Database, users: number): Promise<number> {
  const looks = await Promise.all(
    Array.from({ length: users }, () =>
      database.use([{ sql: "BEGIN" }, { sql: "SELECT pg_sleep(0.1)" }], async (session) => {
        const [result] = await session.run([
          { sql: "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'moving' AND xact_start IS NOT NULL" },
          { sql: "COMMIT" },
        ]);
        return Number(result?.rows[0]?.[0]);
      }),
    ),
  );
  return Math.max(...looks);
}

async function countOf(database: Database, applicationName: string): Promise<number> {
  return database.use(
    [{ sql: "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", values: [applicationName] }],
    async (_session, [result]) => Number(result?.rows[0]?.[0]),
  );
}
