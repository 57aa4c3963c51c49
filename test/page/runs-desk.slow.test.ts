/** Two runs at once on the real program and the embedded stack, as an operator sees them: page, status, runs, report, metrics, after the end too. */
import type { RunSummary } from "@firehose-backfill/status/run-summary";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main } from "../../packages/cli/src/main.ts";
import { processContext } from "../../packages/cli/src/process-context.ts";
import { type Program, startProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";

const WORLD = processContext(process);
const PATIENCE = { timeout: 60_000, interval: 200 };

let folder: TemporaryFolder;
let program: Program;
let url: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  program = startProgram(["run"], {
    BACKFILL_DATA_DIR: folder.path,
    BACKFILL_DAYS: "0",
    BACKFILL_BATCH_DELAY_MS: "1000",
  });
  await program.said("[BACKFILL] Status page: ");
  url = /Status page: (http:\S+)/.exec(program.stderr())?.[1] ?? "";
}, 120_000);

afterAll(async () => {
  program.child.kill("SIGTERM");
  await program.exited;
  await folder[Symbol.asyncDispose]();
});

async function type(
  ...argv: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let [out, err] = ["", ""];
  const output = (write: (part: string) => void) => ({ write, isTerminal: false, columns: () => 80 });
  const code = await main({
    ...WORLD,
    argv,
    env: { BACKFILL_DATA_DIR: folder.path, AWS_EC2_METADATA_DISABLED: "true" },
    stdout: output((part) => (out += part)),
    stderr: output((part) => (err += part)),
  });
  return { code, out, err };
}

async function text(path: string): Promise<string> {
  return (await fetch(`${url}${path}`)).text();
}

async function snapshots(): Promise<readonly Snapshot[]> {
  const all: readonly Snapshot[] = JSON.parse((await type("status", "--json", "--all")).out);
  return all;
}

describe("issue 14.6: two runs at the desk of the real program", { timeout: 240_000 }, () => {
  it("are a list on the page, in status, in runs and in the metrics", async () => {
    expect(await type("start", "--name", "long", "--days", "1")).toMatchObject({ code: 0 });
    expect(await type("start", "--name", "nightly", "--days", "1", "--collections", "app.bsky.feed.*")).toMatchObject({
      code: 0,
    });
    await expect
      .poll(async () => (await snapshots()).map(({ processed }) => processed > 5), PATIENCE)
      .toEqual([true, true]);
    const page = await text("/");
    expect(page).toContain("2 runs are open");
    for (const name of ["long", "nightly"]) {
      expect(page).toContain(`>${name}</a>`);
      expect((await type("status", "--run", name)).out).toContain("of 5 allowed");
      expect(await text(`/?run=${name}`)).toContain('id="do-pause"');
    }
    expect((await type("status", "--json")).code).toBe(2);
    const listed: readonly RunSummary[] = JSON.parse((await type("runs", "--json")).out);
    expect(listed.map(({ name }) => name)).toEqual(["nightly", "long"]);
    const metrics = await text("/metrics");
    for (const { runId } of await snapshots()) expect(metrics).toContain(`events_processed_total{run="${runId}"}`);
  });

  it("have rates whose sum is not above the pace", async () => {
    await expect
      .poll(async () => (await snapshots()).every(({ ratePerSecond }) => ratePerSecond !== null), PATIENCE)
      .toBe(true);
    const sum = (await snapshots()).reduce((total, { ratePerSecond }) => total + (ratePerSecond ?? 0), 0);
    expect(sum).toBeLessThanOrEqual(5 * 1.05);
    expect(sum).toBeGreaterThan(2.5);
  });

  it("are paused and cancelled one by one; the past one keeps its page, its history and its report", async () => {
    expect((await type("pause", "--run", "long")).code).toBe(0);
    await expect.poll(async () => (await snapshots())[0]?.status, PATIENCE).toBe("paused");
    expect((await snapshots())[1]?.status).toBe("running");
    expect((await type("cancel", "--run", "nightly")).code).toBe(0);
    await expect.poll(async () => (await snapshots()).map(({ name }) => name), PATIENCE).toEqual(["long"]);
    expect(await text("/")).toContain('id="do-resume"');
    expect(await text("/runs")).toMatch(/nightly[^]*cancelled/);
    expect(await text("/?run=nightly")).toContain("cancelled");
    expect((await type("report", "--run", "nightly", "--out", "-")).out).toContain('class="line"');
    const history: { readonly points: readonly unknown[] } = JSON.parse(await text("/history.json?run=nightly"));
    expect(history.points.length).toBeGreaterThan(10);
  });

  it("are known when the process has ended", async () => {
    program.child.kill("SIGTERM");
    await program.exited;
    const listed: readonly RunSummary[] = JSON.parse((await type("runs", "--json")).out);
    expect(listed.map(({ name, status }) => `${name} ${status}`)).toEqual(["nightly cancelled", "long paused"]);
    expect((await type("status")).out).toContain("stopped: the process is gone");
  });
});
