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

export interface Production {
  /** The rate without a limit. */
  capacity(load: Foreground, seconds: number): Promise<number>;
  /** The same seed gives the same schedule and the same rows. */
  slot(load: Foreground, options: { seconds: number; ratePerSecond: number; seed: number }): Promise<ForegroundSlot>;
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
        return figuresOf(await readLatencies(folder), seconds);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** The third column of each line, in microseconds. */
async function readLatencies(folder: string): Promise<Float64Array> {
  const files = await readdir(folder);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "latin1")));
  const lines = texts.flatMap((text) => text.split("\n")).filter((line) => line !== "");
  return Float64Array.from(lines, (line) => Number(line.split(" ", 3)[2]) / 1_000).toSorted();
}

function figuresOf(sortedMs: Float64Array, seconds: number): ForegroundSlot {
  const at = (share: number): number => sortedMs[Math.floor(share * (sortedMs.length - 1))] ?? Number.NaN;
  return {
    transactionsPerSecond: sortedMs.length / seconds,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
  };
}
