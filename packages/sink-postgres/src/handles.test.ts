/** Handles that were looked up, beside those that streams say: what counts, what is marked, and whom the list names. */
import {
  identityRow,
  accountRow,
  recordRow,
  request,
  sqlOn as ask,
  START_MS,
} from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";
import type { IdentityRow, SinkRow } from "@firehose-backfill/sink/rows";
import { expect, test } from "vitest";
import { openHandleList } from "./handle-list.ts";
import { makeIndexes } from "./make-indexes.ts";

const at = useSink({ poolSize: 2 });

const ALICE = "did:plc:alice";
const HOUR_MS = 3_600_000;

function looked(
  afterMs: number,
  check: NonNullable<IdentityRow["check"]>,
  handle: string | null,
  did = ALICE,
): IdentityRow {
  return { kind: "identity", did, seq: 0, timeMs: START_MS + afterMs, handle, check };
}

async function apply(host: string, ...rows: readonly SinkRow[]): Promise<void> {
  const result = await at.sink.apply(...request(rows, { host }));
  if (result.kind !== "applied") throw new Error(result.kind);
  const { applied, stale, dead } = result.counts;
  expect([applied + (stale ?? 0), dead]).toEqual([rows.length, 0]);
}

const handles = () => ask(at.sink, "SELECT did, handle, state, is_verified FROM firehose.handles ORDER BY did");
const listed = (after = "", limit = 10) => openHandleList({ databaseUrl: at.databaseUrl }).next(after, limit);

test("issue 17.7: a look-up is shown with its check, and what a stream says is unchecked", async () => {
  await apply("relay", identityRow(1, { did: "did:plc:bob", handle: "bob.test" }), recordRow(2));
  await apply("handles", looked(HOUR_MS, "verified", "alice.test"));
  expect(await handles()).toEqual([
    [ALICE, "alice.test", "verified", "t"],
    ["did:plc:bob", "bob.test", "unchecked", "f"],
  ]);
  // Joined in both directions.
  expect(
    await ask(
      at.sink,
      "SELECT p.did FROM firehose.handles AS h JOIN firehose.posts AS p USING (did) WHERE h.handle = 'alice.test'",
    ),
  ).toEqual([[ALICE]]);
});

test("issue 17.7: a handle that moved later is the stream's again, and is listed; one that moved before is not news", async () => {
  await apply("handles", looked(HOUR_MS, "verified", "alice.test"));
  await apply("relay", identityRow(1, { handle: "before.test" }));
  expect(await handles()).toEqual([[ALICE, "alice.test", "verified", "t"]]);
  expect(await listed()).toEqual([]);
  await apply("relay", identityRow(2, { handle: "after.test", timeMs: START_MS + 2 * HOUR_MS }));
  expect(await handles()).toEqual([[ALICE, "after.test", "unchecked", "f"]]);
  expect(await listed()).toEqual([ALICE]);
  await apply("handles", looked(3 * HOUR_MS, "elsewhere", "after.test"));
  expect(await handles()).toEqual([[ALICE, "after.test", "elsewhere", "f"]]);
});

test("issue 17.7: whoever looks up twice, late or in another order leaves the same rows", async () => {
  const first = looked(HOUR_MS, "unreachable", "old.test");
  const second = looked(2 * HOUR_MS, "verified", "new.test");
  for (const order of [
    [first, second],
    [second, first],
    [second, first, second, first],
  ]) {
    await ask(at.sink, "DELETE FROM firehose.repos");
    for (const row of order) await apply("handles", row);
    expect(await handles()).toEqual([[ALICE, "new.test", "verified", "t"]]);
  }
  await ask(at.sink, "DELETE FROM firehose.repos");
  await apply("handles", first, second);
  expect(await handles()).toEqual([[ALICE, "new.test", "verified", "t"]]);
});

test("issue 17.7: without an answer the known handle stays; without a handle in the document it goes", async () => {
  await apply("relay", identityRow(1, { handle: "alice.test" }));
  await apply("handles", looked(HOUR_MS, "unreachable", null));
  expect(await handles()).toEqual([[ALICE, "alice.test", "unreachable", "f"]]);
  for (const [index, check] of (["none", "gone"] as const).entries()) {
    await apply("handles", looked((index + 2) * HOUR_MS, check, null));
    expect(await handles()).toEqual([]);
    expect(await ask(at.sink, "SELECT handle, handle_check FROM firehose.repos")).toEqual([[null, check]]);
    expect(await listed()).toEqual([]);
  }
});

test("issue 17.7: listed are active accounts that nobody has looked up, in pages, and those without an answer after a day", async () => {
  const dids = ["did:plc:a", "did:plc:b", "did:plc:c", "did:plc:d", "did:plc:e"] as const;
  await apply("relay", ...dids.map((did, index) => recordRow(index + 1, { did })));
  await apply("relay", accountRow(9, { did: dids[1], active: false, status: "deactivated" }));
  // Long ago, and just now.
  await apply("handles", looked(0, "unreachable", "c.test", dids[2]));
  await apply("handles", { ...looked(0, "unreachable", "d.test", dids[3]), timeMs: Date.now() });
  for (const sets of [[], ["handles"]]) {
    await makeIndexes({ databaseUrl: at.databaseUrl }, sets);
    expect(await listed()).toEqual([dids[0], dids[2], dids[4]]);
    expect(await listed("", 2)).toEqual([dids[0], dids[2]]);
    expect(await listed(dids[2], 2)).toEqual([dids[4]]);
  }
  const plan = await at.sink.database.use(
    [
      { sql: "SET enable_seqscan = off" },
      {
        sql: "EXPLAIN SELECT did FROM firehose.repos WHERE did > '' AND (handle_check IS NULL OR handle_check = 'unreachable') ORDER BY did LIMIT 5",
      },
    ],
    async (_session, results) => results.at(-1)?.rows.flat().join("\n") ?? "",
  );
  expect(plan).toContain("repos_unchecked");
});

test("issue 17.7: the change feed tells of a look-up", async () => {
  await apply("relay", recordRow(1));
  const [[token = ""] = []] = await ask(at.sink, "SELECT firehose.change_token()");
  await apply("handles", looked(HOUR_MS, "verified", "alice.test"));
  expect(
    await ask(at.sink, `SELECT did, handle FROM firehose.account_changes('${token}', firehose.change_token())`),
  ).toEqual([[ALICE, "alice.test"]]);
});
