/** Optional indexes are created again after an interruption, and are created while batches are applied. */
import { applyTo, recordRow, sqlOn } from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";
import { expect, test } from "vitest";
import { makeIndexes } from "./make-indexes.ts";
import { INDEX_SETS } from "./schema/optional-indexes.ts";

const at = useSink({ poolSize: 1 });

test("issue 17.7: an index that was cut off while it was made is made anew", async () => {
  const valid = () =>
    sqlOn(at.sink, "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('firehose.records_replies')");
  expect((await makeIndexes({ databaseUrl: at.databaseUrl }, ["threads"])).made).toContain("records_replies");
  // The state that an interrupted session leaves.
  await sqlOn(
    at.sink,
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('firehose.records_replies')",
  );
  const again = await makeIndexes({ databaseUrl: at.databaseUrl }, ["threads"]);
  expect(again).toEqual({ made: ["records_replies"], there: ["records_threads"] });
  expect(await valid()).toEqual([["t"]]);
});

test("issue 17.7: with every set there, batches are applied as before", async () => {
  await makeIndexes({ databaseUrl: at.databaseUrl }, Object.keys(INDEX_SETS));
  const rows = Array.from({ length: 20 }, (_, n) => recordRow(n));
  expect(await applyTo(at.sink, rows)).toMatchObject({ applied: 20, dead: 0 });
  expect(await applyTo(at.sink, [recordRow(30, { action: "delete", rkey: "rkey1" })])).toMatchObject({ applied: 1 });
});
