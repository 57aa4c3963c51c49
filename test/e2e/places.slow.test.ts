/** Disks that are full, folders that are gone or are none: a sentence each, no stack trace, and the run's data is kept. */
import { openSync } from "node:fs";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { runProgram, startProgram, temporaryFolder } from "../support/program.ts";

const BIN = fileURLToPath(new URL("../../packages/cli/bin/firehose-backfill.mjs", import.meta.url));
const STACK = /^\s+at .*:\d+|node:internal|triggerUncaught/m;

/** With its two streams where they are told to be. */
async function runWith(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  streams: { readonly stdout: number | "pipe"; readonly stderr: number | "pipe" },
) {
  const child = spawn(process.execPath, ["--expose-gc", BIN, ...args], {
    env: { PATH: process.env["PATH"] ?? "", AWS_EC2_METADATA_DISABLED: "true", PORT: "0", ...env },
    stdio: ["ignore", streams.stdout, streams.stderr],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (text) => (said += text));
  const code = await new Promise((resolve) => child.once("close", resolve));
  return { code, said };
}

const FAST = { BACKFILL_BATCH_DELAY_MS: "0", BACKFILL_BATCH_SIZE: "100" };

describe.skipIf(!existsSync("/dev/full"))("fault 25: streams on a disk that is full (needs /dev/full)", () => {
  const full = () => openSync("/dev/full", "w");

  test("stderr: the run is done all the same", async () => {
    await using folder = await temporaryFolder();
    const env = { ...FAST, BACKFILL_DATA_DIR: folder.path };
    const { code, said } = await runWith(["run", "--until-done", "--json"], env, { stdout: "pipe", stderr: full() });
    const final = JSON.parse(said.trim().split("\n").at(-1) ?? "");
    expect(final).toMatchObject({ status: "succeeded", received: 300, processed: 300 });
    expect(code).toBe(0);
  });

  test("stdout of a run: done all the same, told once, and the exit code says it", async () => {
    await using folder = await temporaryFolder();
    const env = { ...FAST, BACKFILL_DATA_DIR: folder.path };
    const { code, said } = await runWith(["run", "--until-done", "--json"], env, { stdout: full(), stderr: "pipe" });
    expect(said).toMatch(/300 received, 300 processed/);
    expect(said.match(/the output could not be written to stdout: its disk is full/g)).toHaveLength(1);
    expect(said).not.toMatch(STACK);
    expect(code).toBe(1);
  });

  test.each([[["--help"]], [["doctor", "--json"]], [["--version"]]])("stdout of %j", async (args) => {
    await using folder = await temporaryFolder();
    const env = { BACKFILL_DATA_DIR: folder.path };
    const { code, said } = await runWith(args, env, { stdout: full(), stderr: "pipe" });
    expect(said).toBe("firehose-backfill: the output could not be written to stdout: its disk is full\n");
    expect(code).toBe(1);
  });

  test("both of them", async () => {
    await using folder = await temporaryFolder();
    const streams = { stdout: full(), stderr: full() };
    expect((await runWith(["status"], { BACKFILL_DATA_DIR: folder.path }, streams)).code).toBe(1);
  });
});

test.each([["--help"], ["doctor"]])(
  "fault 25: the reader of %s goes away: an end as by SIGPIPE, without a word",
  async (command) => {
    await using folder = await temporaryFolder();
    const child = spawn(process.execPath, ["--expose-gc", BIN, command], {
      env: { PATH: process.env["PATH"] ?? "", BACKFILL_DATA_DIR: folder.path, PORT: "0" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
    child.stdout.destroy();
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(141);
    expect(said).toBe("");
  },
);

describe("fault 25: a data folder that is none", () => {
  test.each(["run", "status", "pause", "doctor", "events", "report"])("%s, where it is a file", async (command) => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "file");
    await writeFile(file, "mine");
    for (const dataDir of [file, join(file, "below")]) {
      const { code, stdout, stderr } = await runProgram([command], { BACKFILL_DATA_DIR: dataDir });
      expect({ code, said: stdout + stderr }).toEqual({
        code: 1,
        said: expect.stringMatching(/is a file|no process is running|no database is running/),
      });
      expect(stdout + stderr).not.toMatch(STACK);
      expect(stdout + stderr).not.toMatch(/E(NOTDIR|EXIST|NOENT)/);
    }
  });

  test("a folder that a shell would have named", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, ".env"), "BACKFILL_DATA_DIR=~/x\n");
    const program = startProgram(["run"], {}, folder.path);
    expect(await program.exited).toBe(2);
    expect(program.stderr()).toContain(
      'BACKFILL_DATA_DIR is "~/x" (~ is replaced by a shell only: write the whole path)',
    );
    expect(await readdir(folder.path)).toEqual([".env"]);
  });

  test("the folder where it is started is gone", async () => {
    await using folder = await temporaryFolder();
    const gone = join(folder.path, "gone");
    await mkdir(gone);
    const script = `cd "${gone}" && rmdir "${gone}" && exec "${process.execPath}" "${BIN}" run`;
    const child = spawn("bash", ["-c", script], { env: { PATH: process.env["PATH"] ?? "", PORT: "0" } });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(1);
    expect(said).toContain("firehose-backfill: the folder that this was started in is gone");
    expect(said).not.toMatch(STACK);
  });

  test.skipIf(process.getuid?.() === 0)(
    "one that this user may not write to (needs a user other than root, who may write to all)",
    async () => {
      await using folder = await temporaryFolder();
      await chmod(folder.path, 0o500);
      const { code, stderr } = await runProgram(["run"], { BACKFILL_DATA_DIR: join(folder.path, "data") });
      await chmod(folder.path, 0o700);
      expect(stderr).toContain("this user may not use the data folder");
      expect(code).toBe(1);
    },
  );
});

test("fault 25: the data folder is removed while a run is going on: a sentence, an end, and no error of the file system", async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "data");
  const program = startProgram(["run"], { BACKFILL_DATA_DIR: dataDir });
  await program.said("Status page");
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  await vi.waitFor(() => expect(program.stderr()).toMatch(/is gone|has stopped/), { timeout: 30_000 });
  program.child.kill("SIGTERM");
  expect([1, 143]).toContain(await program.exited);
  expect(program.stderr()).not.toMatch(STACK);
  expect(program.stderr()).not.toMatch(/ENOENT/);
}, 90_000);
