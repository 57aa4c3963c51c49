/**
 * Debian's `pgbench` as the production load of another application: its tables in a separate database, and slots of load at a fixed
 * rate. Latency is counted from when a transaction was due, so that waiting for its turn is included.
 */
import { execFile } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openTestDatabase } from "../test/support/query.ts";

/** Two built-in scripts of pgbench: TPC-B, and its -S. */
export const FOREGROUNDS = ["tpcb-like", "select-only"] as const;
export type Foreground = (typeof FOREGROUNDS)[number];

export interface ForegroundSlot {
  readonly transactionsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** Of one transaction: when it ended (milliseconds since the epoch), and its latency. */
export interface Timed {
  readonly endMs: number;
  readonly latencyMs: number;
}

export interface Production {
  /** The rate without a limit. */
  capacity(load: Foreground, seconds: number): Promise<number>;
  /** The same seed gives the same schedule and the same rows. */
  slot(
    load: Foreground,
    options: { seconds: number; ratePerSecond: number; seed: number },
  ): Promise<{ readonly figures: ForegroundSlot; readonly transactions: readonly Timed[] }>;
}

const DATABASE = "production";
const SCALE = 10;
const CLIENTS = 4;
const INSTALLED = ["/usr/bin/pgbench", "/usr/local/bin/pgbench"];

const run = promisify(execFile);

/** @throws if it is not installed */
export function findPgbench(): string {
  const found = [...globSync("/usr/lib/postgresql/*/bin/pgbench").toSorted().toReversed(), ...INSTALLED].find((path) =>
    existsSync(path),
  );
  if (found === undefined)
    throw new Error("pgbench is not installed: on Debian it is in the package postgresql-contrib or postgresql");
  return found;
}

/** Creates its database on that server, at scale 10: 1,000,000 accounts. `command`: pgbench, behind what starts it. */
export async function openProduction(command: readonly string[], databaseUrl: string): Promise<Production> {
  const [program = "", ...before] = command;
  await using admin = await openTestDatabase(databaseUrl);
  await admin.query(`CREATE DATABASE ${DATABASE}`, []);
  const url = new URL(databaseUrl);
  const env = {
    ...process.env,
    PGHOST: url.hostname,
    PGPORT: url.port,
    PGUSER: url.username,
    PGPASSWORD: url.password,
    PGDATABASE: DATABASE,
    PGSSLMODE: "disable",
  };
  await run(program, [...before, "--initialize", "--quiet", `--scale=${SCALE}`], { env });
  const common = [...before, "--no-vacuum", "--protocol=prepared", `--client=${CLIENTS}`];
  return {
    async capacity(load, seconds) {
      const { stdout } = await run(program, [...common, `--builtin=${load}`, `--time=${seconds}`], { env });
      return Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1]);
    },

    async slot(load, { seconds, ratePerSecond, seed }) {
      const folder = await mkdtemp(join(tmpdir(), "firehose-backfill-pgbench-"));
      try {
        const shape = [`--builtin=${load}`, `--time=${seconds}`, `--rate=${ratePerSecond}`, `--random-seed=${seed}`];
        await run(program, [...common, ...shape, "--log", `--log-prefix=${join(folder, "log")}`], { env });
        const transactions = await readTransactions(folder);
        return { figures: figuresOf(transactions, seconds), transactions };
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Of each line: the latency in microseconds is the third column, and the fifth and the sixth are the time of the end. */
async function readTransactions(folder: string): Promise<readonly Timed[]> {
  const files = await readdir(folder);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "latin1")));
  const lines = texts.flatMap((text) => text.split("\n")).filter((line) => line !== "");
  return lines.map((line) => {
    const columns = line.split(" ", 6).map(Number);
    const [, , latencyUs = NaN, , seconds = NaN, microseconds = NaN] = columns;
    return { endMs: seconds * 1_000 + microseconds / 1_000, latencyMs: latencyUs / 1_000 };
  });
}

function figuresOf(transactions: readonly Timed[], seconds: number): ForegroundSlot {
  const at = percentilesOf(transactions);
  return {
    transactionsPerSecond: transactions.length / seconds,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
  };
}

export function percentilesOf(transactions: readonly Timed[]): (share: number) => number {
  const sortedMs = Float64Array.from(transactions, ({ latencyMs }) => latencyMs).toSorted();
  return (share) => sortedMs[Math.floor(share * (sortedMs.length - 1))] ?? Number.NaN;
}
