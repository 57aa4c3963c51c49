/**
 * docs/own-tables.md as somebody follows it: every statement is run, and the tables of the AppView that it builds are held against
 * the views, after recorded events in any order, deletions and deleted accounts.
 */
import { readFileSync } from "node:fs";
import { toRows } from "@firehose-backfill/backfill/to-rows";
import { compileFilter } from "@firehose-backfill/firehose/filter";
import { readFrame } from "@firehose-backfill/firehose/frame";
import type { SinkRow } from "@firehose-backfill/sink/rows";
import { extracted } from "@firehose-backfill/testing/firehose/extracted";
import { accountRow, request, SERVERS, sqlOn } from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";
import { describe, expect, test } from "vitest";
import { mixedFrames, pdsFrames } from "./support/recordings.ts";

const filter = compileFilter({ collections: [], dids: [] });

function rowsOf(frames: readonly Uint8Array[]): SinkRow[] {
  const rules = { filter, verify: "structure", isAhead: () => false } as const;
  return frames.flatMap((bytes) => {
    const frame = readFrame(Buffer.from(bytes));
    if (!("did" in frame)) throw new Error(`a ${frame.kind} frame`);
    return toRows(extracted(frame, rules).events, "structure");
  });
}

/** The blocks of the page; the statements of one end with a semicolon at the end of a line outside of a body. */
function statementsOf(page: string): readonly (readonly string[])[] {
  return [...page.matchAll(/```sql\n([^`]*)```/g)].map(([, block = ""]) => {
    const parts = block.split(/(\$\$)/);
    let inBody = false;
    const marked = parts.map((part) => {
      if (part === "$$") inBody = !inBody;
      return inBody || part === "$$" ? part : part.replaceAll(/;\n/g, ";\n\u0000");
    });
    return marked
      .join("")
      .split("\u0000")
      .filter((sql) => /[A-Z]/.test(sql.replaceAll(/^--.*$/gm, "")));
  });
}

describe.each(SERVERS)("issue 17.8: docs/own-tables.md on $name", ({ binDir }) => {
  const at = useSink({ binDir, poolSize: 1 });
  const sql = (text: string) => sqlOn(at.sink, text);

  async function apply(rows: readonly SinkRow[]): Promise<void> {
    for (let from = 0; from < rows.length; from += 40) {
      const result = await at.sink.apply(...request(rows.slice(from, from + 40)));
      expect(result).toMatchObject({ kind: "applied", counts: { dead: 0 } });
    }
  }

  /** What the tables hold, and what the records say that they must hold: those that exist, also of inactive accounts. */
  async function compare(): Promise<void> {
    const live = (collection: string, columns: string) =>
      sql(`
      SELECT ${columns} FROM (SELECT *, 'at://' || did || '/' || collection || '/' || rkey AS uri FROM firehose.records) AS r
      WHERE collection = 'app.bsky.feed.${collection}' AND cid IS NOT NULL`);
    expect(inOrder(await sql("SELECT uri, text, reply_parent FROM appview.posts"))).toEqual(
      inOrder(await live("post", "uri, record->>'text', record #>> '{reply,parent,uri}'")),
    );
    const likes = inOrder(await live("like", "uri, did, record #>> '{subject,uri}'"));
    expect(inOrder(await sql("SELECT uri, did, subject FROM appview.likes"))).toEqual(likes);
    const counts = new Map<string, number>();
    for (const [, , subject] of likes) counts.set(subject ?? "", (counts.get(subject ?? "") ?? 0) + 1);
    expect(inOrder(await sql("SELECT subject, likes FROM appview.like_counts WHERE likes <> 0"))).toEqual(
      inOrder([...counts].map(([subject, count]) => [subject, String(count)])),
    );
  }

  type Rows = readonly (readonly (string | null)[])[];
  const inOrder = (rows: Rows): Rows => rows.toSorted(([a], [b]) => ((a ?? "") < (b ?? "") ? -1 : 1));

  test("every statement runs, and the tables agree with the views", { timeout: 60_000 }, async () => {
    const blocks = statementsOf(readFileSync(new URL("../docs/own-tables.md", import.meta.url), "utf8"));
    expect(blocks.flat().length).toBeGreaterThan(12);
    const pds = rowsOf(pdsFrames());
    const half = Math.floor(pds.length / 2);
    // The last block fills the tables from what is there.
    for (const block of blocks.slice(0, -1)) for (const statement of block) await sql(statement);
    await apply(pds.slice(half));
    await compare();
    await apply(pds.slice(0, half));
    await apply(pds);
    await compare();
    const [[posts, likes] = []] = await sql(
      "SELECT (SELECT count(*) FROM appview.posts), (SELECT count(*) FROM appview.likes)",
    );
    expect(Number(posts)).toBeGreaterThan(10);
    expect(Number(likes)).toBeGreaterThan(10);
    const [[did = ""] = []] = await sql(
      "SELECT did FROM appview.likes GROUP BY did ORDER BY count(*) DESC, did LIMIT 1",
    );
    await apply([accountRow(1, { did: did ?? "", active: false, status: "deleted", seq: 1e9, timeMs: Date.now() })]);
    expect(await sql(`SELECT count(*) FROM appview.likes WHERE did = '${did}'`)).toEqual([["0"]]);
    await compare();

    // Switched on late: the tables begin with what was there.
    await sql("SELECT firehose.on_batch('appview.apply', false)");
    await apply(rowsOf(mixedFrames()));
    const fill = blocks.at(-1) ?? [];
    await at.sink.database.use([], async (session) => {
      for (const statement of fill) await session.run([{ sql: statement }]);
    });
    await compare();
    expect(await sql("SELECT DISTINCT what FROM public.post_log ORDER BY 1")).toEqual(
      expect.arrayContaining([["new"], ["row"], ["statement"]]),
    );
    await sql("SELECT firehose.on_batch('appview.apply', false), firehose.on_batch('public.log_posts', false)");
  });
});
