/**
 * Whatever is told of a repository, by a stream or by ranges of any of its commits, in any order and twice: the table holds, of
 * each key, what the newest of it says.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clearTables, request, SERVERS, sqlOn } from "@firehose-backfill/testing/sink/rows";
import { standing, tellings, type Told } from "@firehose-backfill/testing/sink/repositories";
import { useSink } from "@firehose-backfill/testing/sink/server";

describe.each(SERVERS)("issue 15.9: on $name", ({ binDir }) => {
  const at = useSink({ poolSize: 8, binDir });

  /** Applies as a consumer does: again until all rows are removed. Each event is counted once. */
  async function apply({ rows, maxRemovals }: Told): Promise<number> {
    for (let calls = 1; ; calls += 1) {
      const result = await at.sink.apply(...request(rows, { maxRemovals, host: "a", lock: { maxConcurrent: 100 } }));
      if (result.kind === "more") {
        if (result.removed > maxRemovals || result.left === 0) throw new Error(JSON.stringify(result));
        continue;
      }
      if (result.kind !== "applied") throw new Error(result.kind);
      const { applied, stale, dead } = result.counts;
      expect(applied + (stale ?? 0) + dead).toBe(rows.filter(({ kind }) => kind !== "range").length);
      return calls;
    }
  }

  async function table(): Promise<string[]> {
    const rows = await sqlOn(
      at.sink,
      "SELECT did || ' ' || collection || '/' || rkey || ' ' || cid || ' ' || rev FROM firehose.records WHERE cid IS NOT NULL",
    );
    return rows.map(([row]) => row ?? "").sort();
  }

  test("any interleaving of stream and ranges leaves the newest state", async () => {
    let paced = 0;
    await fc.assert(
      fc.asyncProperty(tellings, async (told) => {
        await clearTables(at.sink);
        for (const one of told) if ((await apply(one)) > 1) paced += 1;
        expect(await table()).toEqual(standing(told));
      }),
      { numRuns: binDir === undefined ? 100 : 25, seed: 159 },
    );
    // A few runs may not come to it.
    expect(paced > 0 || binDir !== undefined).toBe(true);
  });

  test("so does all of it at the same time", async () => {
    await fc.assert(
      fc.asyncProperty(tellings, async (told) => {
        await clearTables(at.sink);
        await Promise.all(told.map(apply));
        expect(await table()).toEqual(standing(told));
      }),
      { numRuns: binDir === undefined ? 30 : 10, seed: 1590 },
    );
  });
});
