/** What a start does with an odd `.env` and with a database but no relay: it is refused before anything is touched. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startProgram, temporaryFolder } from "../support/program.ts";

/** Nobody listens there: whoever tries says so. */
const NOWHERE = "postgres://me:s3cret@127.0.0.1:1/mine?sslmode=disable";
const UNWISHED = /RELAY_URL is not set, but DATABASE_URL is\. .*RELAY_URL=sample for the sample/;

async function start(dotEnv: Uint8Array | string | null, env: Readonly<Record<string, string>> = {}) {
  await using folder = await temporaryFolder();
  if (dotEnv !== null) await writeFile(join(folder.path, ".env"), dotEnv);
  return await run(folder.path, env);
}

async function run(cwd: string, env: Readonly<Record<string, string>> = {}) {
  const program = startProgram(["run", "--until-done"], env, cwd);
  const code = await program.exited;
  const stderr = program.stderr();
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  expect(stderr).not.toContain("s3cret");
  return { code, stderr };
}

describe("fault 15: the sample is not replayed into a database of one's own", () => {
  test.each<[string, string | null, Readonly<Record<string, string>>]>([
    ["by the environment", null, { DATABASE_URL: NOWHERE }],
    ["by .env", `DATABASE_URL=${NOWHERE}\n`, {}],
    ["an empty RELAY_URL", null, { DATABASE_URL: NOWHERE, RELAY_URL: " " }],
    ["RELAY_URL of .env unset for once", `RELAY_URL=sample\nDATABASE_URL=${NOWHERE}\n`, { RELAY_URL: "" }],
  ])("%s", async (_, dotEnv, env) => {
    const { code, stderr } = await start(dotEnv, env);
    expect(stderr).toMatch(UNWISHED);
    expect(stderr).not.toContain("cannot reach the database");
    expect(code).toBe(2);
  });

  test.each([
    ["the environment", null, { DATABASE_URL: NOWHERE, RELAY_URL: "sample" }],
    [".env", `\uFEFFRELAY_URL=sample\r\nDATABASE_URL=${NOWHERE}\r\n`, {}],
  ])("unless %s asks for it", async (_, dotEnv, env) => {
    const { code, stderr } = await start(dotEnv, env);
    expect(stderr).toContain("cannot reach the database at me@127.0.0.1:1/mine");
    expect(code).toBe(1);
  });
}, 60_000);

describe("fault 15: a .env that cannot be read is not passed over", () => {
  test.each<[string, Uint8Array | string, RegExp]>([
    ["UTF-16", Buffer.from("\uFEFFRELAY_URL=wss://a.test\n", "utf16le"), /\.env line 1: the file is UTF-16/],
    ["NAME: value", "PORT=0\nRELAY_URL: wss://a.test\n", /\.env line 2: RELAY_URL is not understood/],
    ["Latin-1", Buffer.from("# für\nPORT=0\n", "latin1"), /\.env line 1: there are bytes that are not UTF-8/],
    ["a slip", "BACKFIL_DAYS=3\n", /\.env line 1: BACKFIL_DAYS is not a setting; did you mean BACKFILL_DAYS\?/],
  ])("%s", async (_, dotEnv, message) => {
    const { code, stderr } = await start(dotEnv);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  test("a folder", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, ".env"));
    const { code, stderr } = await run(folder.path);
    expect(stderr).toBe(
      "firehose-backfill: .env cannot be read: it is a folder; rename it, or start in another folder\n",
    );
    expect(code).toBe(2);
  });

  test.skipIf(process.getuid?.() === 0)(
    "one that this user may not read (needs a user other than root, who may read all)",
    async () => {
      await using folder = await temporaryFolder();
      await writeFile(join(folder.path, ".env"), "PORT=0\n");
      await chmod(join(folder.path, ".env"), 0);
      const { code, stderr } = await run(folder.path);
      expect(stderr).toContain(".env cannot be read: this user may not read it");
      expect(code).toBe(2);
    },
  );
}, 60_000);
