import { describe, expect, it } from "vitest";
import { COMMANDS, main } from "./main.ts";
import { testWorld } from "@firehose-backfill/testing/cli/world";

async function ask(...argv: readonly string[]) {
  await using world = await testWorld();
  const exitCode = await main(world.context(argv));
  return { exitCode, stdout: world.stdout(), stderr: world.stderr() };
}

describe("firehose-backfill", () => {
  it("without a command shows what there is, as a wrong use", async () => {
    const { exitCode, stdout, stderr } = await ask();
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    const width = Math.max(...COMMANDS.map(({ name }) => name.length));
    for (const { name, summary } of COMMANDS) expect(stderr).toContain(`${name.padEnd(width)}  ${summary}`);
  });

  it.each([["--help"], ["-h"], ["help"]])("%s is an answer", async (word) => {
    expect(await ask(word)).toMatchObject({ exitCode: 0, stderr: "" });
  });

  it.each(COMMANDS.map(({ name }) => name))("%s --help shows options and examples, and does nothing", async (name) => {
    const { exitCode, stdout, stderr } = await ask(name, "--help");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain(`Usage: firehose-backfill ${name}`);
    expect(stdout).toContain("Examples:");
    expect((await ask("help", name)).stdout).toBe(stdout);
  });

  it("knows every option that its examples use", async () => {
    for (const command of COMMANDS) {
      for (const { line } of command.examples) {
        const used = [...line.matchAll(/--([a-z-]+)/g)].map(([, option]) => option);
        expect(Object.keys(command.options)).toEqual(expect.arrayContaining(used));
      }
    }
  });

  it("says its version", async () => {
    expect(await ask("--version")).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it.each([
    [
      ["tick", "--run", "nightly"],
      "tick takes no --run: a tick serves all open runs. To stop one of them: pause --run",
    ],
    [["plan", "--run", "nightly"], "plan takes no --run: it is about a run that has not begun"],
    [["events", "--run=nightly"], "events takes no --run: the tables hold one row for a record"],
    [["doctor", "--run", "nightly"], "doctor takes no --run: it checks what all runs depend on"],
    [["stop", "--run", "nightly"], "stop takes no --run: it ends the process, and with it all runs"],
    [["audit", "--run", "nightly"], "audit takes no --run: it compares the copy, which all runs write together"],
    [["run", "--run", "nightly"], "run takes no --run: it goes on with all open runs"],
    [["rum"], "there is no command rum. Did you mean run?"],
    [["statsu"], "Did you mean status?"],
    [["frobnicate"], "there is no command frobnicate.\n"],
    [["\u001b[2J"], "there is no command \\u001b[2J."],
    [["page", "--function", "x", "--port", "99999"], '--port is "99999"'],
    [["run", "--until-don"], "run does not know --until-don. Did you mean --until-done?"],
    [["run", "--jsno"], "Did you mean --json?"],
    [["run", "-x"], "run does not know -x."],
    [["run", "--json=yes"], "run: Option '--json' does not take an argument"],
    [["run", "now"], 'run does not take "now"'],
    [["run", "--consumers", "threads"], "--consumers takes process or in-process"],
    [["start", "--days"], "start: Option '--days <value>' argument missing"],
    [["start", "--days", ""], "--days is empty; it takes N"],
    [["start", "--days", "-1", "--from", "oldest"], "give one of them"],
    [["start", "--collections", "posts"], '--collections is "posts" (not one: "posts")'],
    [["start", "--dids", "@nowhere"], "the file cannot be read"],
    [["tune"], "tune takes KEY=VALUE with one of BACKFILL_PROFILE, BACKFILL_BATCH_DELAY_MS"],
    [["tune", "delay"], 'tune takes KEY=VALUE, not "delay"'],
    [["tune", "BACKFILL_BATCH_SIZE=1", "BACKFILL_BATCH_SIZE=2"], "BACKFILL_BATCH_SIZE is given twice"],
  ])("%j is a wrong use, and says what would be right", async (argv, message) => {
    const { exitCode, stdout, stderr } = await ask(...argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("lists every problem of the configuration at once", async () => {
    await using world = await testWorld({ env: { BACKFILL_BATCH_SIZE: "abc", BACKFILL_SPEED: "9" } });
    expect(await main(world.context(["run"]))).toBe(2);
    expect(world.stderr()).toMatch(/^firehose-backfill: 2 problems with the configuration:\n {2}- BACKFILL_/);
    expect(world.stderr()).toContain('BACKFILL_BATCH_SIZE is "abc"');
    expect(world.stderr()).toContain("BACKFILL_SPEED is not a setting");
  });

  it("reads .env, and lets the environment win", async () => {
    const files = { ".env": "BACKFILL_BATCH_SIZE=0\nBACKFILL_MAX_CONCURRENT=0\n" };
    await using world = await testWorld({ files, env: { BACKFILL_BATCH_SIZE: "7" } });
    expect(await main(world.context(["status"]))).toBe(2);
    expect(world.stderr()).toContain("BACKFILL_MAX_CONCURRENT");
    expect(world.stderr()).not.toContain("BACKFILL_BATCH_SIZE");
  });
});
