/**
 * What somebody has after `npm start`: the program applies the bundled sample, then each view shows something, the rows join, and the
 * answers that the documents show are those of the database.
 */
import { globSync, readFileSync } from "node:fs";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { type Database, openDatabase } from "@firehose-backfill/sink-postgres/connection";
import { COUNT_VIEW_NAMES, VIEW_NAMES } from "@firehose-backfill/sink-postgres/schema/more-views";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram, temporaryFolder, type TemporaryFolder } from "./support/program.ts";
import { ROOT } from "./support/shell-blocks.ts";

let folder: TemporaryFolder;
let postgres: Postgres;
let database: Database;
let code: number | null;

beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  ({ code } = await runProgram(["run", "--until-done"], {
    BACKFILL_DATA_DIR: `${folder.path}/data`,
    RELAY_URL: "sample",
    DATABASE_URL: postgres.databaseUrl,
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_BATCH_SIZE: "100",
  }));
  database = openDatabase({ databaseUrl: postgres.databaseUrl, poolSize: 1 });
}, 120_000);

afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** Rows as Postgres writes them: texts and NULL. */
async function ask(sql: string): Promise<readonly (readonly (string | null)[])[]> {
  return await database.use([{ sql }], async (_session, [result]) => result?.rows ?? []);
}

async function count(sql: string): Promise<number> {
  const [[value] = []] = await ask(`SELECT count(*) FROM ${sql}`);
  return Number(value);
}

describe("the bundled sample", () => {
  it("issue 17.11: is applied as a whole", () => {
    expect(code).toBe(0);
  });

  it("issue 17.11: shows something in each view of docs/views.md", async () => {
    const named = readFileSync(`${ROOT}docs/views.md`, "utf8");
    const views = [...VIEW_NAMES, ...COUNT_VIEW_NAMES, "handles"];
    const there = await ask(
      "SELECT viewname FROM pg_views WHERE schemaname = 'firehose' AND viewname <> 'live_records'",
    );
    expect(there.map(([name]) => name ?? "").toSorted()).toEqual(views.toSorted());
    for (const view of views) {
      expect(named).toContain(`\`${view}\``);
      expect({ view, rows: await count(`firehose.${view}`) }).not.toEqual({ view, rows: 0 });
    }
  });

  it.each([
    ["likes of posts", "likes AS l JOIN firehose.posts AS p ON p.uri = l.subject", 100],
    ["reposts of posts", "reposts AS r JOIN firehose.posts AS p ON p.uri = r.subject", 15],
    ["replies to posts", "posts AS r JOIN firehose.posts AS p ON p.uri = r.reply_parent", 25],
    [
      "replies to replies, in the thread of the first post",
      "posts AS r JOIN firehose.posts AS p ON p.uri = r.reply_parent AND p.reply_root = r.reply_root JOIN firehose.posts AS f ON f.uri = r.reply_root",
      10,
    ],
    ["quotes of posts", "quotes AS q JOIN firehose.posts AS p ON p.uri = q.quoted", 3],
    ["follows both ways", "follows AS a JOIN firehose.follows AS b ON b.did = a.subject AND b.subject = a.did", 20],
    ["follows of accounts with a profile", "follows AS a JOIN firehose.profiles AS p ON p.did = a.subject", 29],
    ["members of lists", "list_items AS i JOIN firehose.lists AS l ON l.uri = i.list", 8],
    ["blocks of lists", "list_blocks AS b JOIN firehose.lists AS l ON l.uri = b.list", 2],
    [
      "mentions of accounts",
      "post_facets AS f JOIN firehose.profiles AS p ON f.kind = 'mention' AND p.did = f.value",
      3,
    ],
    [
      "starter packs with their list and feeds",
      "starter_packs AS s JOIN firehose.lists AS l ON l.uri = s.list JOIN firehose.feed_generators AS f ON f.uri = ANY (s.feeds)",
      1,
    ],
    ["threads with a rule", "threadgates AS g JOIN firehose.posts AS p ON p.uri = g.post AND p.rkey = g.rkey", 2],
    ["posts that nobody may quote", "postgates AS g JOIN firehose.posts AS p ON p.uri = g.post AND p.rkey = g.rkey", 1],
    ["pinned posts", "profiles AS a JOIN firehose.posts AS p ON p.uri = a.pinned_post", 1],
    [
      "verifications of accounts",
      "verifications AS v JOIN firehose.profiles AS p ON p.did = v.subject AND p.handle = v.handle",
      2,
    ],
  ])("issue 17.11: has %s", async (_what, join, least) => {
    expect(await count(`firehose.${join}`)).toBeGreaterThanOrEqual(least);
  });

  it("issue 17.11: has no like, repost or reply of something that was never there", async () => {
    const lost = await ask(`
      SELECT subject FROM (SELECT subject FROM firehose.likes UNION ALL SELECT subject FROM firehose.reposts
        UNION ALL SELECT reply_parent FROM firehose.posts WHERE reply_parent IS NOT NULL) AS named
      WHERE NOT EXISTS (SELECT FROM firehose.records AS r WHERE r.did = split_part(subject, '/', 3)
        AND r.collection = split_part(subject, '/', 4) AND r.rkey = split_part(subject, '/', 5))`);
    expect(lost).toEqual([]);
  });

  it("issue 17.11: has changed profiles, deleted records, a new name, and accounts that went", async () => {
    expect(
      await ask("SELECT display_name FROM firehose.profiles WHERE handle IN ('mira.test', 'tobias.test')"),
    ).toEqual(expect.arrayContaining([["Mira 🌱"], ["Tobias (schläft)"]]));
    expect(await ask("SELECT display_name FROM firehose.profiles WHERE handle LIKE 'ines%'")).toEqual([
      ["Inês, acordeão"],
    ]);
    expect(await ask("SELECT handle FROM firehose.repos WHERE handle LIKE 'ines%'")).toEqual([["ines-accordion.test"]]);
    expect(await ask("SELECT handle, status FROM firehose.repos WHERE NOT active ORDER BY handle")).toEqual([
      ["ben.test", "deactivated"],
      ["greatdeals.test", "deleted"],
    ]);
    const deleted = await ask("SELECT DISTINCT collection FROM firehose.records WHERE cid IS NULL");
    expect(deleted.map(([name]) => name ?? "").toSorted()).toEqual([
      "app.bsky.feed.like",
      "app.bsky.feed.post",
      "app.bsky.graph.follow",
    ]);
    // Of the account that is deactivated the records are kept, and no view shows them; of the deleted one nothing is left.
    const kept = "firehose.records JOIN firehose.repos USING (did) WHERE handle";
    expect(await count(`${kept} = 'ben.test'`)).toBeGreaterThan(2);
    expect(await count(`${kept} = 'greatdeals.test'`)).toBe(0);
    expect(await count("firehose.posts JOIN firehose.repos USING (did) WHERE handle = 'ben.test'")).toBe(0);
  });
});

describe("what the documents show of it", () => {
  const documents = ["README.md", ...globSync("docs/*.md", { cwd: ROOT })];
  const shown = documents.flatMap((path) =>
    [...readFileSync(`${ROOT}${path}`, "utf8").matchAll(/```sql\n([^`]*)```\n\n```\n(.*?)```/gs)].map(
      ([, sql = "", answer = ""]) => ({ path, sql, answer }),
    ),
  );

  it("issue 17.11: README, tutorial and views show answers", () => {
    expect(new Set(shown.map(({ path }) => path))).toEqual(new Set(["README.md", "docs/tutorial.md", "docs/views.md"]));
  });

  it.each(shown)("issue 17.11: the answer in $path is that of the database: $sql", async ({ sql, answer }) => {
    const [, , ...lines] = answer.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(0);
    const rows = await ask(sql.trimEnd().replace(/;$/, ""));
    expect(rows.map((row) => row.map((cell) => cell?.trim()))).toEqual(
      lines.map((line) => line.split("|").map((cell) => cell.trim())),
    );
  });

  it("the row of the README is one of the sample", async () => {
    const [, row = ""] = /```\n(did +\|.*?)```/s.exec(readFileSync(`${ROOT}README.md`, "utf8")) ?? [];
    const fields = Object.fromEntries(
      row
        .trim()
        .split("\n")
        .map((line) => line.split(/ +\| /, 2)),
    );
    // The sample is moved to now whenever it is started.
    const { indexed_at: _, ...lasting } = fields;
    expect(Object.keys(lasting)).toEqual(["did", "collection", "rkey", "cid", "rev", "seq", "record"]);
    const columns = Object.keys(lasting).join(", ");
    expect(await ask(`SELECT ${columns} FROM firehose.records WHERE seq = ${lasting["seq"]}`)).toEqual([
      Object.values(lasting),
    ]);
  });
});
