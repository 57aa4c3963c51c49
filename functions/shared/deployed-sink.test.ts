import { createDeployedSink, DATABASE_LIMITS, ROUND_TRIP_TIMEOUT_MS } from "./deployed-sink.ts";
import { openSink } from "./open-sink.ts";
import { systemClock } from "@firehose-backfill/core/clock";
import { createDatabase, query, recordRow, request } from "@firehose-backfill/testing/sink/rows";
import { useServer } from "@firehose-backfill/testing/sink/server";
import { expect, test } from "vitest";

const server = useServer();
const CONSUMER_TIMEOUT_MS = 30_000;

test("fault 14: a secret that names another database: nothing is made there, the run is to stop", async () => {
  const databaseUrl = await createDatabase(server.databaseUrl, { migrated: false });
  await using sink = createDeployedSink({
    database: openSink(databaseUrl, DATABASE_LIMITS),
    throttleQuery: null,
    clock: systemClock,
    random: Math.random,
  });
  const database = { id: "7f4df1de-0000-4000-8000-000000000000", name: "db.example:5432/mine" };
  const applying = sink.apply(...request([recordRow(1)], { database }));
  await expect(applying).rejects.toMatchObject({ kind: "broken" });
  await expect(applying).rejects.toThrow(/test_1, and run run-1 writes to db\.example:5432\/mine/);
  expect(await query(databaseUrl, "SELECT to_regnamespace('firehose')")).toEqual([[null]]);
  expect(await sink.apply(...request([recordRow(1)], { database: null }))).toMatchObject({ kind: "applied" });
});

test("issue 12.7: the limit of a round trip leaves time to hide the message", () => {
  expect(CONSUMER_TIMEOUT_MS - ROUND_TRIP_TIMEOUT_MS).toBeGreaterThanOrEqual(8_000);
});
