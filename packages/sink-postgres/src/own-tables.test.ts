/** The user's own tables, written in a batch's transaction on real servers. An error belongs to one event, and the counts are right. */
import { accountRow, applyTo, recordRow, request, revOf, SERVERS, sqlOn } from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";
import type { SinkRow } from "@firehose-backfill/sink/rows";
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { listDead } from "./dead-list.ts";

describe.each(SERVERS)("issue 17.8: tables of one's own on $name", ({ binDir }) => {
  const at = useSink({ binDir, poolSize: 2 });
  const sql = (text: string) => sqlOn(at.sink, text);
  const rows = Array.from({ length: 30 }, (_, n) => recordRow(n, { did: `did:plc:r${n % 4}` }));

  beforeAll(async () => {
    await sql("CREATE TABLE public.mine (rkey text, note text)");
    await sql(`CREATE FUNCTION public.mine_batch(now_rows firehose.records[], was_rows firehose.records[]) RETURNS void
      LANGUAGE plpgsql AS $f$
      BEGIN
        IF EXISTS (SELECT FROM unnest(now_rows) AS r WHERE r.rkey IN ('rkey3', 'rkey17')) THEN
          RAISE EXCEPTION 'not this one';
        END IF;
        INSERT INTO public.mine
        SELECT coalesce(n.rkey, w.rkey), CASE WHEN w.rkey IS NULL THEN 'new' WHEN n.rkey IS NULL THEN 'removed'
          WHEN n.cid IS NULL THEN 'deleted' ELSE 'changed' END
        FROM unnest(now_rows) AS n FULL JOIN unnest(was_rows) AS w USING (did, collection, rkey);
      END $f$`);
    await sql(`CREATE FUNCTION public.mine_statement() RETURNS trigger LANGUAGE plpgsql AS $f$
      BEGIN
        IF EXISTS (SELECT FROM new_rows WHERE rkey IN ('rkey3', 'rkey17')) THEN RAISE EXCEPTION 'not this one'; END IF;
        INSERT INTO public.mine SELECT rkey, 'statement' FROM new_rows;
        RETURN NULL;
      END $f$`);
  });

  afterEach(async () => {
    await sql("SELECT firehose.on_batch('public.mine_batch', false)");
    await sql("DROP TRIGGER IF EXISTS mine ON firehose.records");
    await sql("SELECT firehose.keep_counts(false)");
    await sql("TRUNCATE public.mine");
  });

  test("a function gets the rows of a batch, as they are and as they were, deletions and removals too", async () => {
    await sql("SELECT firehose.on_batch('public.mine_batch')");
    // Twice is once.
    await sql("SELECT firehose.on_batch('public.mine_batch')");
    await applyTo(at.sink, [recordRow(1), recordRow(2)]);
    await applyTo(at.sink, [recordRow(5, { rkey: "rkey1" }), recordRow(6, { action: "delete", rkey: "rkey2" })]);
    await applyTo(at.sink, [accountRow(9, { active: false, status: "deleted" })]);
    expect(await sql("SELECT rkey, note FROM public.mine ORDER BY note, rkey")).toEqual([
      ["rkey1", "changed"],
      ["rkey2", "deleted"],
      ["rkey1", "new"],
      ["rkey2", "new"],
      ["rkey1", "removed"],
      ["rkey2", "removed"],
    ]);
  });

  test.each([
    ["a function that gets a batch", "SELECT firehose.on_batch('public.mine_batch')"],
    [
      "a statement trigger with a transition table",
      `CREATE TRIGGER mine AFTER INSERT ON firehose.records REFERENCING NEW TABLE AS new_rows
       FOR EACH STATEMENT EXECUTE FUNCTION public.mine_statement()`,
    ],
  ])(
    "what %s raises is the fault of the events that caused it: the rest is applied, in both tables",
    async (_name, on) => {
      await sql(on);
      expect(await applyTo(at.sink, rows)).toEqual({ applied: 28, stale: 0, dead: 2 });
      const dead = await listDead(at.sink.database, { runId: "run-1", limit: 10 });
      expect(dead.map(({ path, reason, error }) => [path?.split("/")[1], reason, error])).toEqual(
        ["rkey3", "rkey17"].map((rkey) => [rkey, "database-P0001", "not this one"]),
      );
      expect(await sql("SELECT count(*), count(DISTINCT rkey) FROM public.mine")).toEqual([["28", "28"]]);
      expect(await sql("SELECT count(*) FROM firehose.records")).toEqual([["28"]]);
    },
  );

  test("its time is part of the batch's", async () => {
    await sql(`CREATE FUNCTION public.slow_batch(a firehose.records[], b firehose.records[]) RETURNS void
      LANGUAGE sql AS 'SELECT pg_sleep(0.3)'`);
    await sql("SELECT firehose.on_batch('public.slow_batch')");
    const result = await at.sink.apply(...request([recordRow(1)]));
    expect(result.kind === "applied" ? result.durationMs : 0).toBeGreaterThanOrEqual(290);
    await sql("SELECT firehose.on_batch('public.slow_batch', false)");
  });

  /** What the kept counts have to be. */
  const RIGHT = `
    SELECT k.subject, k.kind, count(*) FROM firehose.records AS r,
      firehose.count_keys(r.did, r.collection, r.record) AS k
    WHERE r.cid IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`;
  const KEPT = "SELECT subject, kind, n FROM firehose.counts WHERE n <> 0 ORDER BY 1, 2";

  test("counts begin with what is there", async () => {
    const subject = { uri: "at://did:plc:bob/app.bsky.feed.post/1", cid: "c" };
    const like = (n: number) =>
      recordRow(n, { collection: "app.bsky.feed.like", did: `did:plc:l${n}`, json: JSON.stringify({ subject }) });
    await applyTo(at.sink, [like(1), like(2)]);
    await sql("SELECT firehose.keep_counts(true)");
    expect(await sql(KEPT)).toEqual([[subject.uri, "likes", "2"]]);
    await applyTo(at.sink, [like(3), recordRow(4, { action: "delete", ...keyOf(like(1)) })]);
    expect(await sql(KEPT)).toEqual([[subject.uri, "likes", "2"]]);
    await applyTo(at.sink, [accountRow(5, { did: "did:plc:l2", active: false, status: "deleted" })]);
    expect(await sql(KEPT)).toEqual([[subject.uri, "likes", "1"]]);
  });

  function keyOf(row: SinkRow) {
    if (row.kind !== "record") throw new Error("not a record");
    const { did, collection, rkey } = row;
    return { did, collection, rkey };
  }

  test(
    "counts stay right, whatever comes: odd records, updates, deletions, batches again",
    { timeout: 60_000 },
    async () => {
      const value = fc.oneof(
        fc.record({ subject: fc.record({ uri: fc.constantFrom("at://a/p/1", "at://a/p/2", "x".repeat(5000)) }) }),
        fc.record({ subject: fc.constantFrom("did:plc:a", "did:plc:b") }),
        fc.record({ reply: fc.record({ parent: fc.record({ uri: fc.constantFrom("at://a/p/1") }) }) }),
        fc.record({ embed: fc.record({ record: fc.record({ uri: fc.constantFrom("at://a/p/2") }) }) }),
        fc.constantFrom<unknown>({}, [], 5, null, { subject: [] }),
      );
      const event = fc.record({
        n: fc.integer({ min: 1, max: 60 }),
        collection: fc.constantFrom("feed.like", "feed.repost", "feed.post", "graph.follow", "actor.profile"),
        key: fc.nat(3),
        did: fc.constantFrom("did:plc:a", "did:plc:b"),
        gone: fc.boolean(),
        value,
      });
      await sql("SELECT firehose.keep_counts(true)");
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(event, { minLength: 1, maxLength: 6 }), { maxLength: 6 }),
          async (batches) => {
            for (const batch of batches) {
              const its = batch.map(({ n, collection, key, did, gone, value: record }) =>
                recordRow(n, {
                  did,
                  collection: `app.bsky.${collection}`,
                  rkey: `k${key}`,
                  rev: revOf(n),
                  ...(gone ? { action: "delete" as const, cid: null, json: null } : { json: JSON.stringify(record) }),
                }),
              );
              await at.sink.apply(...request(its));
            }
            expect(await sql(KEPT)).toEqual(await sql(RIGHT));
          },
        ),
        { numRuns: 25 },
      );
    },
  );
});
