import { fork, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AlreadyRunningError, claimDataDir, findServer } from "./data-dir.ts";
import { identifyProcess } from "./process-identity.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "data-dir-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const aDeadPid = async (): Promise<number> => {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await new Promise((resolve) => child.once("exit", resolve));
  if (child.pid === undefined) throw new Error("did not start");
  return child.pid;
};

test("makes the folder, announces the page, and leaves nothing that points at it", async () => {
  const dataDir = join(root, "deep", "state");
  const claim = await claimDataDir(dataDir, { now: () => Date.UTC(2026, 0, 2) });
  expect(await findServer(dataDir)).toBeNull();
  await claim.announce(8787);
  const file: unknown = JSON.parse(await readFile(join(dataDir, "server.json"), "utf8"));
  expect(file).toMatchObject({ pid: process.pid, port: 8787, startedAt: "2026-01-02T00:00:00.000Z" });
  expect(await findServer(dataDir)).toEqual({
    pid: process.pid,
    port: 8787,
    startedAt: "2026-01-02T00:00:00.000Z",
    url: "http://127.0.0.1:8787",
  });
  await claim[Symbol.asyncDispose]();
  expect(await readdir(dataDir)).toEqual(["lock"]);
  await using again = await claimDataDir(dataDir);
  expect(again.dataDir).toBe(dataDir);
});

test("a second claim is told who holds the folder and where to look", async () => {
  await using claim = await claimDataDir(root);
  await expect(claimDataDir(root)).rejects.toThrow(new AlreadyRunningError(process.pid, null));
  await claim.announce(1234);
  const failure = claimDataDir(root);
  await expect(failure).rejects.toThrow(`already running, pid ${process.pid}, http://127.0.0.1:1234`);
  await expect(failure).rejects.toMatchObject({ name: "AlreadyRunningError", pid: process.pid });
  expect(await findServer(root), "the refused one took nothing away").not.toBeNull();
});

test("a claim of a process that was killed is taken over, its announcement removed", async () => {
  const dead = await claimDataDir(root, { identity: { pid: await aDeadPid(), started: null } });
  await dead.announce(1234);
  expect(await findServer(root)).toBeNull();
  await using claim = await claimDataDir(root);
  expect(await readdir(root)).toEqual(["lock"]);
  await claim.announce(5678);
  expect(await findServer(root)).toMatchObject({ port: 5678 });
});

test.runIf(process.platform === "linux")(
  "a pid that another process has got since does not hold the folder (needs Linux)",
  async () => {
    const { pid, started } = await identifyProcess();
    expect(started).toMatch(/^[0-9a-f-]{36}:\d+$/);
    const recycled = await claimDataDir(root, { identity: { pid, started: "another boot:1" } });
    await recycled.announce(1234);
    expect(await findServer(root)).toBeNull();
    await using claim = await claimDataDir(root);
    expect(claim.dataDir).toBe(root);
  },
);

test("of many that find a stale claim at once exactly one wins", async () => {
  for (let round = 0; round < 10; round += 1) {
    const dataDir = join(root, String(round));
    await claimDataDir(dataDir, { identity: { pid: await aDeadPid(), started: null } });
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => claimDataDir(dataDir)));
    const won = results.filter((result) => result.status === "fulfilled");
    expect(won).toHaveLength(1);
    const lost = results.filter((result) => result.status === "rejected").map((result) => String(result.reason));
    expect(new Set(lost)).toEqual(new Set([`AlreadyRunningError: already running, pid ${process.pid}`]));
    await won[0]?.value[Symbol.asyncDispose]();
  }
});

test("of several processes that start at once exactly one wins", async () => {
  await claimDataDir(root, { identity: { pid: await aDeadPid(), started: null } });
  const children = Array.from({ length: 4 }, () =>
    fork(new URL("../../testing/src/embedded/data-dir-claimant.ts", import.meta.url), [root], {
      execArgv: [],
      stdio: "inherit",
    }),
  );
  const answers = await Promise.all(
    children.map((child) => new Promise<unknown>((resolve) => child.once("message", resolve))),
  );
  expect(answers.map(String).toSorted((a, b) => a.localeCompare(b))).toEqual(["lost", "lost", "lost", "won"]);
  const ends = children.map((child) => new Promise((resolve) => child.once("exit", resolve)));
  for (const child of children) child.disconnect();
  await Promise.all(ends);
});

test("a torn file is nobody's", async () => {
  const claim = await claimDataDir(root);
  await claim[Symbol.asyncDispose]();
  await writeFile(join(root, "server.json"), '{"pid":1,');
  await writeFile(join(root, "lock", "7"), "");
  expect(await findServer(root)).toBeNull();
  await using again = await claimDataDir(root);
  expect(await readdir(join(root, "lock"))).toEqual(["8"]);
  expect(again.dataDir).toBe(root);
});

test("only its owner can look in", async () => {
  const dataDir = join(root, "state");
  await using claim = await claimDataDir(dataDir);
  await claim.announce(1);
  expect((await stat(dataDir)).mode & 0o066).toBe(0);
  expect((await stat(join(dataDir, "server.json"))).mode & 0o777).toBe(0o600);
});

test.runIf(process.getuid?.() === 0)(
  "under root another user can walk through to a folder of its own (needs to run as root)",
  async () => {
    await using claim = await claimDataDir(root);
    const script = `require("node:fs").statSync(process.argv[1])`;
    await writeFile(join(root, "inside"), "");
    const child = spawn(process.execPath, ["-e", script, join(claim.dataDir, "inside")], {
      uid: 65534,
      gid: 65534,
      stdio: "inherit",
    });
    expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(0);
  },
);
