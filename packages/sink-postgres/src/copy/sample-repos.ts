/**
 * Repositories at random, without counting or sorting them: a place in the table is drawn, page and line, and it is taken if a repository
 * stands there. Each row that can be seen stands at exactly one place, so each is as likely as every other one. TABLESAMPLE is not used:
 * of rows it reads the whole table, and whole pages hold repositories that were written at the same time.
 */
import type { Session } from "../connection.ts";

/** The most lines that a page of 8 kB can have; of a larger page in proportion. */
const LINES_PER_8_KB = 291;
const PROBES_PER_STATEMENT = 1_000;
/** A table of which less than a thousandth is rows ends the search before its time. */
const MAX_STATEMENTS = 2_000;

const SIZE = `SELECT pg_relation_size('firehose.repos') / current_setting('block_size')::bigint, current_setting('block_size')`;
const PROBE = "SELECT did, ctid FROM firehose.repos WHERE ctid = ANY ($1::tid[]) AND rev IS NOT NULL";
/** Above it, counting every row would be felt. */
const MAX_COUNTED_PAGES = 20_000;
const COUNT = "SELECT count(*) FROM firehose.repos WHERE rev IS NOT NULL";
const ESTIMATE = "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'firehose.repos'::regclass";
const FIRST = "SELECT did FROM firehose.repos WHERE rev IS NOT NULL ORDER BY did LIMIT $1::bigint";

export async function countRepos(session: Session): Promise<{ readonly count: number; readonly isExact: boolean }> {
  const { pages } = await sizeOf(session);
  const isExact = pages <= MAX_COUNTED_PAGES;
  const [counted] = await session.run([{ sql: isExact ? COUNT : ESTIMATE }]);
  return { count: Number(counted?.rows[0]?.[0] ?? 0), isExact };
}

/** `random`: in [0, 1). */
export async function sampleRepos(session: Session, size: number, random: () => number): Promise<readonly string[]> {
  const { count, isExact } = await countRepos(session);
  if (isExact && count <= size) {
    const [all] = await session.run([{ sql: FIRST, values: [String(size)] }]);
    return (all?.rows ?? []).map(([did]) => did ?? "");
  }
  const { pages, lines } = await sizeOf(session);
  const drawn = new Set<string>();
  for (let statement = 0; statement < MAX_STATEMENTS && drawn.size < size; statement++) {
    const places = Array.from(
      { length: PROBES_PER_STATEMENT },
      () => `(${Math.floor(random() * pages)},${1 + Math.floor(random() * lines)})`,
    );
    const [found] = await session.run([{ sql: PROBE, values: [`{${places.map((place) => `"${place}"`).join(",")}}`] }]);
    const didAt = new Map((found?.rows ?? []).map(([did, ctid]) => [ctid ?? "", did ?? ""]));
    // In the order in which they were drawn: the server gives them by place, and the rest of the last statement must not be cut off by it.
    for (const place of places) {
      const did = didAt.get(place);
      if (did !== undefined && drawn.size < size) drawn.add(did);
    }
  }
  return [...drawn].sort((left, right) => (left < right ? -1 : 1));
}

async function sizeOf(session: Session): Promise<{ readonly pages: number; readonly lines: number }> {
  const [size] = await session.run([{ sql: SIZE }]);
  const [pages, blockSize] = size?.rows[0] ?? [];
  return { pages: Number(pages ?? 0), lines: Math.ceil((LINES_PER_8_KB * Number(blockSize ?? 8_192)) / 8_192) };
}
