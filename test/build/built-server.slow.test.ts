/**
 * What `npm run build` makes, run as Docker and systemd run it: on the bundled sample until it is done, by this Node and
 * by an older one, where there is one, which hands over.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildServer } from "../../scripts/build-server.ts";
import { ROOT } from "../../scripts/run-step.ts";
import { temporaryFolder } from "../support/program.ts";

const OLDER = ["/usr/bin/node", "/usr/local/bin/node"].find((path) => existsSync(path) && majorOf(path) < 24);
/** Its third parties are found from there, as from dist/. */
const CACHE = join(ROOT, "node_modules", ".cache");
const SAMPLE_EVENTS = 300;

let dist: string;

beforeAll(async () => {
  await mkdir(CACHE, { recursive: true });
  dist = await mkdtemp(join(CACHE, "firehose-backfill-build-"));
  await buildServer(dist);
}, 60_000);

afterAll(() => rm(dist, { recursive: true, force: true }));

function majorOf(node: string): number {
  return Number(execFileSync(node, ["-p", "process.versions.node.split('.')[0]"], { encoding: "utf8" }));
}

async function run(node: string, args: readonly string[]): Promise<Snapshot> {
  await using folder = await temporaryFolder();
  const env = {
    PATH: process.env["PATH"],
    AWS_EC2_METADATA_DISABLED: "true",
    PORT: "0",
    BACKFILL_PROFILE: "fast",
    BACKFILL_DATA_DIR: folder.path,
  };
  const program = ["--expose-gc", join(dist, "server", "index.js"), ...args];
  // A folder without a .env of somebody's.
  const options = { env, cwd: folder.path, maxBuffer: 16 * 1024 * 1024 };
  const { code, stdout, stderr } = await new Promise<{ code: number | null; stdout: string; stderr: string }>(
    (done) => {
      const child = execFile(node, program, options, (_, out, err) =>
        done({ code: child.exitCode, stdout: out, stderr: err }),
      );
    },
  );
  const config = "[BACKFILL] Resource throttling config:\n  - Batch size: 50 events\n";
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(config) });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

describe.concurrent("dist/server/index.js", () => {
  it("runs the backfill, without arguments but options", async () => {
    const final = await run(process.execPath, ["--until-done", "--json"]);
    expect(final).toMatchObject({ status: "succeeded", received: SAMPLE_EVENTS, processed: SAMPLE_EVENTS, dead: 0 });
  }, 120_000);

  it.skipIf(OLDER === undefined)(
    "by an older Node too, and any other command; consumers find their modules (needs an older Node in the system)",
    async () => {
      const args = ["start", "--from", "oldest", "--consumers", "process", "--until-done", "--json"];
      const final = await run(OLDER ?? "", args);
      expect(final).toMatchObject({ status: "succeeded", processed: SAMPLE_EVENTS, dead: 0 });
    },
    120_000,
  );
});
