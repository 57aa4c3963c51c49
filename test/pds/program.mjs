/** Runs our program as a user does, and looks into its embedded Postgres after it has ended. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { startPostgres } from "../../packages/embedded/src/postgres-server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RUN_TIMEOUT_MS = 240_000;

/**
 * `npx firehose-backfill run --until-done`, unpaced, everything that the relay keeps; or with other arguments.
 * @param {{ relayUrl: string, dataDir: string, args?: readonly string[], env?: Readonly<Record<string, string>>, timeoutMs?: number }} options
 * @returns {Promise<{ code: number | null, stdout: string, stderr: string, seconds: number }>}
 */
export async function runBackfill({
  relayUrl,
  dataDir,
  args = ["run", "--until-done", "--json"],
  env = {},
  timeoutMs = RUN_TIMEOUT_MS,
}) {
  const started = performance.now();
  const child = spawn("npx", ["--no-install", "firehose-backfill", ...args], {
    cwd: ROOT,
    env: {
      ...withoutSettings(process.env),
      RELAY_URL: relayUrl,
      BACKFILL_DATA_DIR: dataDir,
      BACKFILL_DAYS: "-1",
      BACKFILL_BATCH_DELAY_MS: "0",
      PORT: "0",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: timeoutMs,
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, stdout, stderr, seconds: (performance.now() - started) / 1000 };
}

/**
 * The embedded Postgres of a data folder whose program has ended.
 * @param {string} dataDir
 */
export async function openTables(dataDir) {
  const postgres = await startPostgres({ dataDir: join(dataDir, "postgres") });
  const client = new pg.Client({ connectionString: postgres.databaseUrl });
  // Stopping the server under a client is no error of this test.
  client.on("error", () => {});
  await client.connect();
  return {
    /** @type {(sql: string, values?: readonly unknown[]) => Promise<readonly Record<string, any>[]>} */
    query: async (sql, values = []) => (await client.query(sql, [...values])).rows,
    async [Symbol.asyncDispose]() {
      await client.end();
      await postgres[Symbol.asyncDispose]();
    },
  };
}

/** The environment of whoever runs the tests must not steer the run. */
function withoutSettings(env) {
  const isSetting = (name) => name.startsWith("BACKFILL_") || ["RELAY_URL", "DATABASE_URL", "PORT"].includes(name);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isSetting(name)));
}
