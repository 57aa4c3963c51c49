import { systemClock } from "@firehose-backfill/core/clock";
import type { CopyEntry, CopyReader, PathRange } from "@firehose-backfill/sink/copy-reader";
import { SinkError } from "@firehose-backfill/sink/sink-error";
import { query, SERVERS, sqlOn } from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../connection.ts";
import { openCopy } from "./open-copy.ts";
import { openingOf, PAGE_ROWS } from "./repo-picture.ts";
import { sampleRepos } from "./sample-repos.ts";

const ALICE = "did:plc:alice";
const ALL: PathRange = { above: "", below: "\u007f" };
const COLLECTIONS = ["a.b.c", "a.b.c-d", "a.b.c-d.e", "a.b.c.d", "a.b.c0", "a.b.d", "z.y.x"];

async function pathsOf(copy: CopyReader, did: string, between: PathRange = ALL) {
  return await copy.look(did, async (picture) => {
    const pages: (readonly CopyEntry[])[] = [];
    for await (const page of picture.entries(between)) pages.push(page);
    return { rev: picture.rev, pages, paths: pages.flat().map(({ path }) => path) };
  });
}

/** `perCollection` rows of each; every tenth is a tombstone. */
const fill = (did: string, perCollection: number) => `
  INSERT INTO firehose.records (did, collection, rkey, cid, rev, seq, record, indexed_at)
  SELECT '${did}', c, 'k' || lpad(n::text, 6, '0'),
    CASE WHEN n % 10 = 0 THEN NULL ELSE 'cid' || n END, '3l' || n, n, CASE WHEN n % 10 = 0 THEN NULL ELSE '{}'::jsonb END, now()
  FROM unnest('{${COLLECTIONS.toReversed().join(",")}}'::text[]) AS c, generate_series(1, ${perCollection}) AS n`;
const repo = (did: string) => `INSERT INTO firehose.repos (did, rev, updated_at) VALUES ('${did}', '3l9', now())`;

describe.each(SERVERS)("the copy, read on $name", ({ binDir }) => {
  const at = useSink({ poolSize: 2, binDir });
  const open = (throttleQuery: string | null = null) =>
    openCopy({ databaseUrl: at.databaseUrl, clock: systemClock, throttleQuery });

  it.each([3, 2 * PAGE_ROWS])("issue 16.4: comes in the order of paths, %i rows a collection", async (rows) => {
    await sqlOn(at.sink, repo(ALICE));
    await sqlOn(at.sink, fill(ALICE, rows));
    await sqlOn(at.sink, fill("did:plc:alicf", 3));
    await using copy = open();
    const { rev, pages, paths } = await pathsOf(copy, ALICE);
    expect(rev).toBe("3l9");
    expect(paths).toHaveLength(COLLECTIONS.length * rows);
    expect(paths).toEqual(paths.toSorted());
    expect(Math.max(...pages.map(({ length }) => length))).toBeLessThanOrEqual(PAGE_ROWS);
    expect(pages.flat()[1]).toEqual({ path: "a.b.c-d.e/k000002", cid: "cid2", rev: "3l2" });
    const within = { above: "a.b.c-d/k000001", below: "a.b.c/k000003" };
    expect((await pathsOf(copy, ALICE, within)).paths).toEqual(
      paths.filter((path) => path > within.above && path < within.below),
    );
    expect((await pathsOf(copy, "did:plc:nobody")).paths).toEqual([]);
  });

  it("issue 16.4: is of one moment, whatever is written meanwhile", async () => {
    await sqlOn(at.sink, fill(ALICE, PAGE_ROWS));
    await using copy = open();
    const seen = await copy.look(ALICE, async (picture) => {
      const paths: string[] = [];
      for await (const page of picture.entries(ALL)) {
        if (paths.length === 0) await query(at.databaseUrl, "DELETE FROM firehose.records WHERE rkey > 'k000100'; ");
        paths.push(...page.map(({ path }) => path));
      }
      return paths;
    });
    expect(seen).toHaveLength(COLLECTIONS.length * PAGE_ROWS);
    expect((await pathsOf(copy, ALICE)).paths).toHaveLength(COLLECTIONS.length * 100);
  });

  it("issue 16.4: is read by the primary key, without a sort, also where the statistics are of an empty table", async () => {
    await sqlOn(at.sink, "ANALYZE firehose.records");
    await sqlOn(at.sink, fill(ALICE, 3_000));
    await using database = openDatabase({ databaseUrl: at.databaseUrl, poolSize: 1 });
    const opening = openingOf(ALICE);
    const plan = await database.use(opening.slice(0, -1), async (session) => {
      const first = opening.at(-1);
      const [explained] = await session.run([{ ...first, sql: `EXPLAIN ${first?.sql}` }]);
      return (explained?.rows ?? []).flat().join("\n");
    });
    expect(plan).toContain("Index Scan using records_pkey");
    expect(plan).not.toMatch(/Sort|Seq Scan|Bitmap/);
  });

  it("lists the repositories of which something was applied, page by page", async () => {
    for (const did of ["did:plc:b", "did:plc:a", "did:web:c.example"]) await sqlOn(at.sink, repo(did));
    await sqlOn(at.sink, "INSERT INTO firehose.repos (did, updated_at) VALUES ('did:plc:marker', now())");
    await using copy = open();
    expect(await copy.repos(null, 2)).toEqual(["did:plc:a", "did:plc:b"]);
    expect(await copy.repos("did:plc:b", 2)).toEqual(["did:web:c.example"]);
    expect(await copy.countRepos()).toEqual({ count: 3, isExact: true });
    expect(await copy.sampleRepos(5, Math.random)).toEqual(["did:plc:a", "did:plc:b", "did:web:c.example"]);
  });

  it("issue 16.4: a sample takes each repository as often as every other one", { timeout: 60_000 }, async () => {
    // The pages contain different numbers of rows: some rows are removed, others are updated and moved to other pages.
    await sqlOn(
      at.sink,
      "INSERT INTO firehose.repos (did, rev, updated_at) SELECT 'did:plc:' || lpad(n::text, 5, '0'), '3l1', now() FROM generate_series(1, 2000) AS n",
    );
    await sqlOn(at.sink, "DELETE FROM firehose.repos WHERE did > 'did:plc:01000' AND did NOT LIKE '%7'");
    await sqlOn(at.sink, "UPDATE firehose.repos SET handle = repeat('x', 200) WHERE did < 'did:plc:00500'");
    await sqlOn(at.sink, "UPDATE firehose.repos SET rev = NULL WHERE did LIKE '%1'");
    let seed = 16;
    const random = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed / 2 ** 32;
    };
    const drawn = new Map<string, number>();
    await using database = openDatabase({ databaseUrl: at.databaseUrl, poolSize: 1 });
    const rounds = 60;
    await database.use([], async (session) => {
      for (let round = 0; round < rounds; round++) {
        const sample = await sampleRepos(session, 100, random);
        expect(sample).toEqual([...new Set(sample)].sort());
        expect(sample).toHaveLength(100);
        for (const did of sample) drawn.set(did, (drawn.get(did) ?? 0) + 1);
      }
    });
    const [counted] = await sqlOn(at.sink, "SELECT count(*) FROM firehose.repos WHERE rev IS NOT NULL");
    const population = Number(counted?.[0]);
    expect([...drawn.keys()].filter((did) => did.endsWith("1"))).toEqual([]);
    // Without putting back, the variance is a little below that of chi squared: three standard deviations above its mean.
    const expected = (rounds * 100) / population;
    const chi = [...drawn.values()].reduce((sum, times) => sum + (times - expected) ** 2 / expected, 0);
    const all = chi + (population - drawn.size) * expected;
    expect(all).toBeLessThan(population + 3 * Math.sqrt(2 * population));
    expect(all).toBeGreaterThan(population * 0.8 - 3 * Math.sqrt(2 * population));
  });

  it("asks for production's health beside the picture", async () => {
    await using copy = open("SELECT 3");
    expect(await copy.look(ALICE, () => copy.health())).toEqual({
      kind: "unhealthy",
      because: "throttle query: 3 > 0",
    });
  });

  it("its own trouble is a SinkError; what the caller throws stays what it is", async () => {
    await using copy = open();
    await expect(copy.look(ALICE, () => Promise.reject(new TypeError("mine")))).rejects.toBeInstanceOf(TypeError);
    expect((await pathsOf(copy, ALICE)).paths).toEqual([]);
    await sqlOn(at.sink, "ALTER TABLE firehose.records RENAME TO elsewhere");
    await expect(pathsOf(copy, ALICE)).rejects.toBeInstanceOf(SinkError);
    await sqlOn(at.sink, "ALTER TABLE firehose.elsewhere RENAME TO records");
  });
});
