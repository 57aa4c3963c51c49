/** The installed command as a separate process, with this Node and, if there is one, with an older Node. */
import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { VERSION } from "@firehose-backfill/core/version";
import { describe, expect, it } from "vitest";

const BIN = fileURLToPath(new URL("../bin/firehose-backfill.mjs", import.meta.url));
const OLDER = ["/usr/bin/node", "/usr/local/bin/node"].find((path) => existsSync(path) && majorOf(path) < 24);

function majorOf(node: string): number {
  return Number(execFileSync(node, ["-p", "process.versions.node.split('.')[0]"], { encoding: "utf8" }));
}

function ask(node: string, argv: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(node, [BIN, ...argv], { env: { PATH: process.env["PATH"] } }, (_, stdout, stderr) => {
      resolve({ exitCode: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

describe("bin/firehose-backfill.mjs", () => {
  it("exits with the command's code", async () => {
    expect(await ask(process.execPath, ["nothing"])).toMatchObject({
      exitCode: 2,
      stdout: "",
      stderr: expect.stringContaining("there is no command nothing"),
    });
  });

  it.skipIf(OLDER === undefined)(
    "started by an older Node hands over to the pinned one, arguments and answer alike (needs an older Node in the system)",
    async () => {
      expect(await ask(OLDER ?? "", ["--version"])).toEqual({ exitCode: 0, stdout: `${VERSION}\n`, stderr: "" });
    },
  );
});
