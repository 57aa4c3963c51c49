/** What the README shows of the sample is what the program leaves in the database: the row, and the answer to the query. */
import { readFileSync } from "node:fs";
import { startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { expect, it } from "vitest";
import { runProgram, temporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";
import { ROOT } from "../support/shell-blocks.ts";

const readme = readFileSync(`${ROOT}README.md`, "utf8");
/** The row, as `psql -x` prints it; the query; its answer, as psql prints it. */
const [, shownRow = "", query = "", shownAnswer = ""] =
  /```\n(did +\|.*?)```.*?```sql\n(.*?)```\n\n```\n(.*?)```/s.exec(readme) ?? [];

it("the row and the answer of the README come from the sample", async () => {
  await using folder = await temporaryFolder();
  await using postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  const { code } = await runProgram(["run", "--until-done"], {
    BACKFILL_DATA_DIR: `${folder.path}/data`,
    RELAY_URL: "sample",
    DATABASE_URL: postgres.databaseUrl,
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_BATCH_SIZE: "100",
  });
  expect(code).toBe(0);
  await using database = await openTestDatabase(postgres.databaseUrl);

  const row = Object.fromEntries(
    shownRow
      .trim()
      .split("\n")
      .map((line) => line.split(/ +\| /, 2)),
  );
  // The sample is moved to now whenever it is started.
  const { indexed_at: _, ...lasting } = row;
  expect(Object.keys(lasting)).toEqual(["did", "collection", "rkey", "cid", "rev", "seq", "record"]);
  const found = await database.query(
    "SELECT did, collection, rkey, cid, rev, seq::text, record::text FROM firehose.records WHERE seq = $1",
    [lasting["seq"]],
  );
  expect(found).toEqual([lasting]);

  const [, , ...lines] = shownAnswer.trimEnd().split("\n");
  const answer = lines.map((line) => line.split("|").map((cell) => cell.trim()));
  expect(answer.length).toBeGreaterThan(3);
  const rows = await database.query(query.replace(";", ""), []);
  expect(rows.map((each) => Object.values(each).map(String))).toEqual(answer);
}, 60_000);
