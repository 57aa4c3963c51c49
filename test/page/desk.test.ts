/**
 * One evening at the operator's desk, on the real program and the embedded stack: every command that the documentation shows
 * is run as it stands there, and the page, in a real browser where there is one, starts, pauses, resumes, tunes and cancels.
 * real-run.test.ts is the long version of the page's part.
 */
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { main } from "../../packages/cli/src/main.ts";
import { processContext } from "../../packages/cli/src/process-context.ts";
import { type Program, startProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { shellBlocks } from "../support/shell-blocks.ts";
import { accessibilityFindings, CHROMIUM, launchBrowser, overflowOf, visit } from "./browser.ts";

const WORLD = processContext(process);
const PATIENCE = { timeout: 60_000, interval: 100 };
/** So slow that the run outlasts this test, whatever was tuned before. */
const SLOW = ["tune", "BACKFILL_BATCH_SIZE=5", "BACKFILL_BATCH_DELAY_MS=20000"];

let folder: TemporaryFolder;
let program: Program;
let url: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  program = startProgram(["run"], { BACKFILL_DATA_DIR: folder.path, BACKFILL_DAYS: "0" });
  await program.said("[BACKFILL] Status page: ");
  url = /Status page: (http:\S+)/.exec(program.stderr())?.[1] ?? "";
});

afterAll(async () => {
  program.child.kill("SIGTERM");
  await program.exited;
  await folder[Symbol.asyncDispose]();
});

async function status(): Promise<Snapshot> {
  const response = await fetch(`${url}/status.json`);
  const snapshot: Snapshot = JSON.parse(await response.text());
  return snapshot;
}

/** As the program itself would do it, but in this process. What has no end of its own gets a Ctrl-C at its first line. */
async function type(argv: readonly string[]) {
  const written = { stdout: "", stderr: "" };
  const interrupts = new Set<() => void>();
  const output = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
      if (argv.includes("--tail")) for (const interrupt of interrupts) interrupt();
    },
    isTerminal: false,
    columns: () => 80,
  });
  const exitCode = await main({
    ...WORLD,
    argv,
    env: { BACKFILL_DATA_DIR: folder.path, AWS_EC2_METADATA_DISABLED: "true" },
    stdout: output("stdout"),
    stderr: output("stderr"),
    onSignal: (signal, handler) => {
      if (signal === "SIGINT") interrupts.add(handler);
      return () => interrupts.delete(handler);
    },
    exitNow: (code) => {
      throw new Error(`${argv.join(" ")} ended the process with ${code}`);
    },
  });
  return { exitCode, ...written };
}

describe.skipIf(CHROMIUM === undefined)(
  "the page (needs a Chromium: apt-get install chromium)",
  { timeout: 120_000 },
  () => {
    it("starts a run by click, pauses, resumes and tunes it, and asks before it cancels", async () => {
      await using browser = await launchBrowser();
      const { page, complaints } = await visit(browser, url);
      await page.locator("#state").filter({ hasText: "no run yet" }).waitFor();
      await page.click("#start summary");
      await page.fill("#start-days", "1");
      await page.getByRole("button", { name: "Start", exact: true }).click();
      await page.locator("#state .word.running").waitFor(PATIENCE);
      await expect.poll(async () => (await status()).processed, PATIENCE).toBeGreaterThan(0);

      await page.click("#more summary");
      await page.click("#do-pause-now");
      await page.locator("#state .word.paused").waitFor(PATIENCE);
      await page.click("#do-resume");
      await page.locator("#state .word.running").waitFor(PATIENCE);
      await page.click("#tune summary");
      await page.fill("#tune-BACKFILL_BATCH_DELAY_MS", "4000");
      await page.keyboard.press("Enter");
      await page.locator("#notice").filter({ hasText: "BACKFILL_BATCH_DELAY_MS 2000 -> 4000" }).waitFor(PATIENCE);

      for (const [width, colorScheme] of [
        [320, "dark"],
        [1_280, "light"],
      ] as const) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        expect((await overflowOf(page)).right).toBe(0);
      }
      expect(await accessibilityFindings(page)).toEqual([]);

      await page.click("#cancel summary");
      await page.getByText("Cancel this run?").waitFor(PATIENCE);
      expect((await status()).status).toBe("running");
      await page.click("#do-cancel");
      await page.locator("#state .word.cancelled").waitFor(PATIENCE);
      expect(complaints).toEqual([]);
    });
  },
);

describe("what the documentation tells a reader to type", () => {
  const commands = shellBlocks()
    .filter(({ notRun }) => notRun === null)
    .flatMap(({ at, commands: shown }) => shown.map(({ words }) => ({ at, words })))
    .map(({ at, words }) => ({ at, argv: words[0] === "npx" ? words.slice(1) : words }))
    .filter(({ argv }) => argv[0] === "firehose-backfill")
    .map(({ at, argv }) => [`${at}: ${argv.join(" ")}`, argv.slice(1)] as const);

  beforeAll(async () => {
    await type(["start", "--days", "1"]);
    await vi.waitUntil(async () => (await status()).processed > 5, PATIENCE);
    await type(SLOW);
  });

  it("is more than a few", () => {
    expect(commands.length).toBeGreaterThan(15);
  });

  // A plan looks at the relay politely, and takes as long: it begins first, beside the others, which change nothing for it.
  const isPlan = ([name]: readonly string[]) => name === "plan";
  const plans = new Map<string, ReturnType<typeof type>>();
  beforeAll(() => {
    for (const [name, argv] of commands) if (isPlan(argv)) plans.set(name, type(argv));
  });

  it.each(commands.toSorted(([, a], [, b]) => Number(isPlan(a)) - Number(isPlan(b))))("%s", async (name, argv) => {
    if (argv[0] === "resume" && (await status()).status === "running") await type(["pause", "--now"]);
    const { exitCode, stdout, stderr } = await (plans.get(name) ?? type(argv));
    expect({ stderr, exitCode }).toEqual({ stderr: expect.any(String), exitCode: argv.includes("--tail") ? 130 : 0 });
    expect(argv[0] === "start" ? stderr : stdout).not.toBe("");
    if (argv.includes("--json")) for (const line of stdout.trim().split("\n")) JSON.parse(line);
    if (argv[0] === "tune") await type(SLOW);
  });
});
