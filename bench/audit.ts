/**
 * Audits: one repository of many rows, a very large one for the memory, and many small ones, with what they cost the database and the hosts; and the tree
 * builders, beside those of the libraries. The trees hold one record at every path: what a record holds is nothing to an audit.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { cidOf, cidToText } from "@firehose-backfill/core/cid";
import { createTreeBuilder } from "@firehose-backfill/repos/tree/tree-builder";
import { startFakeDirectory } from "@firehose-backfill/testing/repos/fake-directory";
import { startServer } from "@firehose-backfill/testing/repos/http-server";
import { makeCar } from "@firehose-backfill/testing/repos/make-car";
import { signCommit } from "@firehose-backfill/testing/repos/test-repo";
import { query } from "@firehose-backfill/testing/sink/rows";
import { newSigner } from "../test/support/sign.ts";
import type { AuditLane } from "./audit-child.ts";
import type { Benchmark } from "./benchmark.ts";
import { BUILDERS, measure } from "./history.ts";
import { numbersOf } from "./lanes.ts";
import { scratchPostgres } from "./scratch-postgres.ts";

const run = promisify(execFile);
const COLLECTION = "app.bsky.feed.post";
/** A statement may take a minute at most. */
const ROWS_A_STATEMENT = 200_000;
const REV = "3lbf6vdrr2s2a";
const VALUE = cidOf(Buffer.from("the record"));

export const audit: Benchmark = {
  summary:
    "repositories audited against a Postgres [--rows N] [--large N] [--repos N of 100 rows] [--rounds N] [--builders 0]",
  async run(args) {
    const options = numbersOf(args, { rows: 100_000, large: 3_000_000, repos: 10_000, rounds: 3, builders: 1 });
    const lane = { carPath: "", origin: "", plcUrl: "", did: "", keyHex: "", collections: [], rows: options.rows };
    const builders = [];
    for (const contender of options.builders === 0 ? [] : BUILDERS)
      builders.push(await measure({ ...lane, contender }, options.rounds));
    // The others would take hours, or all of the memory.
    const [own = ""] = BUILDERS;
    if (options.builders !== 0 && options.large > 0)
      builders.push(await measure({ ...lane, contender: own, rows: options.large }, options.rounds));
    return {
      ...options,
      builders,
      "one repository": await auditOf([options.rows], options.rounds),
      "a large one": options.large === 0 ? null : await auditOf([options.large], 1),
      "many small ones": await auditOf(
        Array.from({ length: options.repos }, () => 100),
        1,
      ),
    };
  },
};

/** Repositories of so many rows each; all of one round are of the same size. */
export async function auditOf(sizes: readonly number[], rounds: number): Promise<AuditFigures> {
  const [size = 0] = sizes;
  await using postgres = await scratchPostgres();
  const signer = newSigner("k256");
  const data = rootOf(size);
  const commits = new Map(
    sizes.map((_, index) => [didOf(index), carOf(signCommit({ did: didOf(index), rev: REV, data }, signer))]),
  );
  await using pds = await startServer((request, response) => {
    response.end(commits.get(new URL(request.url ?? "", "http://localhost").searchParams.get("did") ?? ""));
  });
  await using directory = await startFakeDirectory(
    [...commits.keys()].map((did) => [did, { key: signer.key, pds: pds.origin }] as const),
  );
  await query(
    postgres.databaseUrl,
    `INSERT INTO firehose.repos (did, rev, updated_at)
     SELECT 'did:plc:' || translate(lpad(n::text, 24, '0'), '0123456789', 'abcdefghij'), '${REV}', now()
     FROM generate_series(0, ${sizes.length - 1}) AS n`,
  );
  const atOnce = Math.max(1, Math.floor(ROWS_A_STATEMENT / sizes.length));
  for (let from = 1; from <= size; from += atOnce) {
    await query(
      postgres.databaseUrl,
      `INSERT INTO firehose.records (did, collection, rkey, cid, rev, seq, record, indexed_at)
       SELECT did, '${COLLECTION}', '3' || lpad(n::text, 12, '0'), '${cidToText(VALUE)}', '${REV}', n,
         jsonb_build_object('text', repeat('words ', 17), 'number', n), now()
       FROM firehose.repos, generate_series(${from}, ${Math.min(size, from + atOnce - 1)}) AS n ORDER BY n`,
    );
  }
  await query(postgres.databaseUrl, "ANALYZE firehose.records");
  const lane: AuditLane = {
    databaseUrl: postgres.databaseUrl,
    plcUrl: directory.origin,
    did: sizes.length > 1 ? null : didOf(0),
  };
  const results: Figures[] = [];
  const before = await usedBy(postgres.databaseUrl);
  for (let round = 0; round < rounds; round++) {
    const child = new URL("audit-child.ts", import.meta.url).pathname;
    const { stdout } = await run(process.execPath, ["--max-semi-space-size=4", child, JSON.stringify(lane)]);
    results.push(JSON.parse(stdout) as Figures);
  }
  const after = await usedBy(postgres.databaseUrl);
  const median = results.toSorted((left, right) => left.cpuSeconds - right.cpuSeconds)[Math.floor(rounds / 2)];
  if (median === undefined || median.equal !== sizes.length) throw new Error(`not equal: ${JSON.stringify(results)}`);
  const figures = {
    rows: size,
    ...median,
    transactions: Math.round((after.transactions - before.transactions) / rounds),
    pages: Math.round((after.pages - before.pages) / rounds),
    requests: { directory: directory.asked.length / rounds, hosts: pds.asked.length / rounds },
  };
  console.error(`  ${JSON.stringify(figures)}`);
  return figures;
}

interface Figures {
  readonly audited: number;
  readonly equal: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly rssMb: number;
}

export interface AuditFigures extends Figures {
  /** Of each repository. */
  readonly rows: number;
  readonly transactions: number;
  readonly pages: number;
  readonly requests: { readonly directory: number; readonly hosts: number };
}

/** Pages of tables and indexes, read from memory or from the disk. */
async function usedBy(databaseUrl: string): Promise<{ readonly transactions: number; readonly pages: number }> {
  const [row] = await query(
    databaseUrl,
    "SELECT xact_commit, blks_read + blks_hit FROM pg_stat_database WHERE datname = current_database()",
  );
  return { transactions: Number(row?.[0]), pages: Number(row?.[1]) };
}

function rootOf(size: number): Uint8Array {
  const builder = createTreeBuilder();
  for (let number = 1; number <= size; number++) {
    builder.add(`${COLLECTION}/3${String(number).padStart(12, "0")}`, VALUE);
  }
  return builder.finish();
}

function carOf(block: Uint8Array): Buffer {
  const cid = cidOf(block);
  return makeCar(cid, [{ cid, bytes: block }]);
}

function didOf(index: number): string {
  const digits = String(index).padStart(24, "0");
  return `did:plc:${digits.replaceAll(/\d/g, (digit) => "abcdefghij".charAt(Number(digit)))}`;
}
