/** The first second of the program: what stops it there, and what it must not have begun by then. */
import { access, readdir, readFile, readlink } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openTestDatabase } from "../support/query.ts";
import { startProgram, runProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";

let folder: TemporaryFolder;
let postgres: Postgres;

beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
}, 120_000);

afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** Not there yet, at a second attempt of the same test either: what the test waits for is not the first attempt's. */
const newDataDir = (name: string): string => join(folder.path, `${name}-${randomUUID()}`);

/** A server that takes connections and says nothing, or closes them. */
async function silentServer() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    visits: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Those that work in that folder or name it on their command line. */
async function processesOf(path: string): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return cwd.startsWith(path) || command.includes(path) ? `${pid} ${command.replaceAll("\0", " ")}` : null;
    }),
  );
  return found.filter((each) => each !== null);
}

/** Signals it when `isThere`, and says with what code and after how long it ended. */
async function stopWhen(
  isThere: () => Promise<void>,
  env: Readonly<Record<string, string>>,
  signal: "SIGTERM" | "SIGINT" = "SIGTERM",
) {
  const program = startProgram(["run"], env);
  await vi.waitFor(isThere, { timeout: 30_000, interval: 5 });
  const askedAt = performance.now();
  program.child.kill(signal);
  const code = await program.exited;
  expect(program.stderr()).not.toMatch(/^\s+at .*:\d+:\d+/m);
  return { code, seconds: (performance.now() - askedAt) / 1_000, stderr: program.stderr() };
}

/** Far below every time-out that it could be waiting for (10 s and 30 s), and enough for a machine that is busy. */
const AT_ONCE_SECONDS = 6;

describe("fault 20: a signal while it starts ends it at once, with its children", () => {
  test.each([
    ["a database that takes the connection and says nothing", "SIGTERM", 143],
    ["the same, by Ctrl-C", "SIGINT", 130],
  ] as const)("%s", async (name, signal, exitCode) => {
    await using database = await silentServer();
    const dataDir = newDataDir(signal);
    const { code, seconds, stderr } = await stopWhen(
      async () => expect(database.visits()).toBeGreaterThan(0),
      {
        RELAY_URL: "sample",
        DATABASE_URL: `postgres://me:pw@127.0.0.1:${database.port}/db?sslmode=disable`,
        BACKFILL_DATA_DIR: dataDir,
      },
      signal,
    );
    expect(stderr).toContain("stopped while starting");
    expect({ name, code }).toEqual({ name, code: exitCode });
    expect(seconds).toBeLessThan(AT_ONCE_SECONDS);
    expect(await processesOf(dataDir)).toEqual([]);
  });

  test("a migration that waits for another one", async () => {
    const dataDir = newDataDir("migration");
    await using holder = await openTestDatabase(postgres.databaseUrl);
    await using observer = await openTestDatabase(postgres.databaseUrl);
    await holder.query("SELECT pg_advisory_lock(hashtext('firehose-backfill schema'), 0)", []);
    const { code, seconds } = await stopWhen(
      async () => {
        const waiting = await observer.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted", []);
        expect(waiting).toHaveLength(1);
      },
      { RELAY_URL: "sample", DATABASE_URL: postgres.databaseUrl, BACKFILL_DATA_DIR: dataDir },
    );
    expect(code).toBe(143);
    expect(seconds).toBeLessThan(AT_ONCE_SECONDS);
    expect(await processesOf(dataDir)).toEqual([]);
  });

  test.each(["lock", "queue", "postgres/data.new", "postgres/data", "postgres/data/postmaster.pid", "server.json"])(
    "as soon as %s is there, and the next start on that folder works",
    async (path) => {
      const dataDir = newDataDir(`at-${path.replaceAll("/", "-")}`);
      const { code, seconds } = await stopWhen(() => access(join(dataDir, path)), { BACKFILL_DATA_DIR: dataDir });
      expect(code).toBe(143);
      expect(seconds).toBeLessThan(AT_ONCE_SECONDS);
      await vi.waitFor(async () => expect(await processesOf(dataDir)).toEqual([]), { timeout: 20_000 });
      const again = startProgram(["run"], { BACKFILL_DATA_DIR: dataDir });
      await again.said("Status page");
      again.child.kill("SIGTERM");
      expect(await again.exited).toBe(143);
    },
  );
}, 120_000);

describe("fault 21: a port that is in use", () => {
  test("is told before a run is begun, in one line", async () => {
    await using other = await silentServer();
    const dataDir = newDataDir("port");
    const result = await runProgram(["run"], { PORT: String(other.port), BACKFILL_DATA_DIR: dataDir });
    expect(result.stderr).toMatch(
      new RegExp(`^firehose-backfill: port ${other.port} is in use: set PORT to another one, or to 0 .*\\n$`),
    );
    expect(result.code).toBe(1);
    // Nothing but the folder's lock: no queue, no table, no run.
    expect((await readdir(dataDir)).filter((name) => name !== "lock")).toEqual([]);
  });

  test("of a second start on one folder is not the first thing that is wrong", async () => {
    const env = { BACKFILL_DATA_DIR: newDataDir("twice") };
    const first = startProgram(["run"], env);
    await first.said("Status page");
    const port = /127\.0\.0\.1:(\d+)/.exec(first.stderr())?.[1] ?? "";
    const second = await runProgram(["run"], { ...env, PORT: port });
    expect(second.stderr).toContain(`already running, pid ${first.pid}`);
    first.child.kill("SIGTERM");
    expect(await first.exited).toBe(143);
  });
}, 120_000);

test("fault 22: a tune below what is in use is refused with the number, and the run goes on", async () => {
  const env = { BACKFILL_DATA_DIR: newDataDir("tune") };
  const program = startProgram(["run"], env);
  await program.said("Status page");
  const refused = await runProgram(["tune", "BACKFILL_MAX_MEMORY_MB=128"], env);
  // Where a process is smaller than that, it is no case for a refusal.
  const heldMb = /holds (\d+) MB/.exec(refused.stderr)?.[1];
  expect(refused.stderr).toMatch(/BACKFILL_MAX_MEMORY_MB is 128, but this process holds \d+ MB .* at least \d+/);
  expect(refused.code).toBe(2);
  expect(Number(heldMb)).toBeGreaterThan(100);
  const status = await runProgram(["status", "--json"], env);
  expect(JSON.parse(status.stdout).settings.BACKFILL_MAX_MEMORY_MB.value).toBe(512);
  program.child.kill("SIGTERM");
  expect(await program.exited).toBe(143);
}, 60_000);
