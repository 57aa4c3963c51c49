/**
 * The sink compared with a plain loop of the same upsert statement, with the same driver and server: it shows the cost of the second
 * table, of the transaction with its lock, and of finding the latest rows.
 */
import { toRows } from "@firehose-backfill/backfill/to-rows";
import { systemClock } from "@firehose-backfill/core/clock";
import { openDatabase } from "@firehose-backfill/sink-postgres/connection";
import { latestRows } from "@firehose-backfill/sink-postgres/latest-rows";
import { createSink } from "@firehose-backfill/sink-postgres/sink";
import { batchStatements } from "@firehose-backfill/sink-postgres/statements";
import type { RecordRow } from "@firehose-backfill/sink/rows";
import { benchEvents, inGroups } from "./bench-events.ts";
import { connectDriver } from "./driver.ts";
import { median, numbersOf } from "./lanes.ts";
import type { Benchmark } from "./benchmark.ts";
import { scratchPostgres } from "./scratch-postgres.ts";

/** Enough rows for a few hundred milliseconds at each batch size. */
const ROWS: Readonly<Record<number, number>> = { 5: 2_000, 50: 8_000, 500: 20_000 };

type Rows = readonly RecordRow[];
/** Applies one batch. */
type Apply = (batch: Rows) => Promise<unknown>;

interface Way extends AsyncDisposable {
  readonly name: string;
  /** One function for each connection; its batches run one after the other. */
  readonly connections: readonly Apply[];
}

export const sink: Benchmark = {
  summary: "rows/s of the sink beside a bare loop of its upsert [--rounds N] [--connections N]",
  async run(args) {
    const { rounds, connections } = numbersOf(args, { rounds: 3, connections: 4 });
    await using postgres = await scratchPostgres();
    await using stack = new AsyncDisposableStack();
    const open = { databaseUrl: postgres.databaseUrl, connections };
    const ways = [stack.use(await bareLoop(open)), stack.use(bothTables(open)), stack.use(theSink(open))];
    await using database = openDatabase({ databaseUrl: postgres.databaseUrl, poolSize: 1 });
    const empty = [{ sql: "truncate firehose.records, firehose.repos, firehose.dead_events" }];
    const results = [];
    for (const [size, count] of Object.entries(ROWS)) {
      const rates = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
      for (let round = 0; round <= rounds; round++) {
        const batches = inGroups(recordRows(count, `sink-${size}-${round}`), Number(size));
        for (const way of ways) {
          await database.use(empty, () => Promise.resolve());
          const rate = await measure(way, batches);
          // The first round fills caches and lets the compiler do its work.
          if (round > 0) rates.get(way.name)?.push(rate);
        }
      }
      const [bare = [], ...others] = rates.values();
      const ratios = others.map((of) => Number(median(of.map((rate, at) => rate / (bare[at] ?? NaN))).toFixed(2)));
      const rowsPerSecond = Object.fromEntries([...rates].map(([name, of]) => [name, Math.round(median(of))]));
      results.push({
        batchSize: Number(size),
        rowsPerSecond,
        "both tables / bare": ratios[0],
        "sink / bare": ratios[1],
      });
      console.error(`batches of ${size}: ${JSON.stringify(results.at(-1))}`);
    }
    return { rounds, connections, results };
  },
};

function recordRows(count: number, seed: string): Rows {
  const rows = toRows(benchEvents(count, seed), "structure");
  return rows.filter((row): row is RecordRow => row.kind === "record");
}

async function measure({ connections }: Way, batches: readonly Rows[]): Promise<number> {
  const startMs = performance.now();
  let next = 0;
  const work = async (apply: Apply): Promise<void> => {
    for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) await apply(batch);
  };
  await Promise.all(connections.map(work));
  const rows = batches.reduce((sum, batch) => sum + batch.length, 0);
  return rows / ((performance.now() - startMs) / 1_000);
}

interface Opening {
  readonly databaseUrl: string;
  readonly connections: number;
}

/** Only the upsert of records, each in its own transaction. A batch must not name a key twice, so only its latest rows are sent. */
async function bareLoop({ databaseUrl, connections }: Opening): Promise<Way> {
  const clients = await Promise.all(Array.from({ length: connections }, () => connectDriver(databaseUrl)));
  return {
    name: "bare",
    connections: clients.map((client) => async (batch: Rows) => {
      const upsert = batchStatements(latestRows(batch)).find(({ target }) => target === "records");
      if (upsert !== undefined) await client.query(upsert.sql, [...(upsert.values ?? [])]);
    }),
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client.end();
    },
  };
}

/** All statements of a batch in one round trip and one transaction, without the lock that limits concurrency. */
function bothTables({ databaseUrl, connections }: Opening): Way {
  const database = openDatabase({ databaseUrl, poolSize: connections });
  const apply: Apply = (batch) => {
    const statements = [{ sql: "BEGIN" }, ...batchStatements(latestRows(batch)), { sql: "COMMIT" }];
    return database.use(statements, () => Promise.resolve());
  };
  return {
    name: "both tables",
    connections: Array.from({ length: connections }, () => apply),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

function theSink({ databaseUrl, connections }: Opening): Way {
  const target = createSink({
    databaseUrl,
    poolSize: connections,
    clock: systemClock,
    random: Math.random,
    throttleQuery: null,
  });
  const key = { runId: "bench", generation: 1, window: 1, fence: 1, number: 0 };
  const lock = { name: "bench", maxConcurrent: connections, isOnTime: () => true };
  const apply: Apply = async (rows) => {
    let result = await target.apply(key, rows, { lock });
    // Like the program: the locks are tried one after the other, and another connection may take one meanwhile.
    while (result.kind === "busy") result = await target.apply(key, rows, { lock });
    if (result.kind !== "applied" || result.counts.dead > 0) throw new Error(JSON.stringify(result));
  };
  return {
    name: "sink",
    connections: Array.from({ length: connections }, () => apply),
    [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
  };
}
