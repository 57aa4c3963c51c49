import { spawnSync } from "node:child_process";
import { testWorld } from "@firehose-backfill/testing/cli/world";
import { describe, expect, it } from "vitest";
import { COMMANDS, main } from "../main.ts";

async function scriptOf(...argv: readonly string[]) {
  await using world = await testWorld();
  const exitCode = await main(world.context(["completion", ...argv]));
  return { exitCode, script: world.stdout(), stderr: world.stderr() };
}

/** The words that bash offers after these, of which the last is being typed. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const { script } = await scriptOf("bash");
  const lines = [
    script,
    `COMP_WORDS=(firehose-backfill ${words.map((word) => `'${word}'`).join(" ")})`,
    `COMP_CWORD=${words.length}`,
    "_firehose_backfill",
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ];
  const { stdout, stderr, status } = spawnSync("bash", ["-c", lines.join("\n")], { encoding: "utf8" });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  return stdout.split("\n").filter((word) => word !== "");
}

describe("issue 17.5: completion", () => {
  it("offers the commands that begin as typed, in bash", async () => {
    expect(await offered("re")).toEqual(["report", "resume", "redrive", "resync", "resyncs"]);
    expect(await offered("")).toEqual(COMMANDS.map(({ name }) => name));
  });

  it("offers the options of a command, and the settings that tune takes", async () => {
    expect(await offered("pause", "--n")).toEqual(["--now"]);
    expect(await offered("tune", "BACKFILL_BATCH_")).toEqual(["BACKFILL_BATCH_SIZE=", "BACKFILL_BATCH_DELAY_MS="]);
    expect(await offered("completion", "f")).toEqual(["fish"]);
  });

  it.each(["zsh", "fish"] as const)("names every command and option for %s", async (shell) => {
    const { exitCode, script, stderr } = await scriptOf(shell);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    for (const { name, options } of COMMANDS) {
      expect(script).toContain(shell === "zsh" ? `'${name}:` : `-a ${name} -d`);
      for (const option of Object.keys(options))
        expect(script).toContain(shell === "zsh" ? `--${option}[` : `-l ${option} `);
    }
  });

  it.for(["zsh", "fish"] as const)("is a script that %s can read", async (shell, { skip }) => {
    const { script } = await scriptOf(shell);
    const { error, status, stderr } = spawnSync(shell, ["-n", "-c", script], { encoding: "utf8" });
    skip(error !== undefined, `${shell} is not installed`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it.each([[[]], [["tcsh"]], [["bash", "zsh"]]])("refuses %j", async (argv) => {
    expect(await scriptOf(...argv)).toMatchObject({
      exitCode: 2,
      script: "",
      stderr: expect.stringContaining("completion takes one of bash, zsh, fish"),
    });
  });
});
