/** The program as a child process, started as a user starts it; its snapshots are read from stdout. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../packages/cli/bin/firehose-backfill.mjs", import.meta.url));

export interface BackfillRun {
  /** The last Snapshot that it printed. */
  readonly final: Readonly<Record<string, unknown>>;
  readonly code: number;
  readonly stderr: string;
  /** Of its own process, from the first to the last instruction. */
  readonly cpuSeconds: number;
}

export interface BackfillOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Called when the process has started. */
  readonly onStarted?: (child: { readonly pid: number; readonly dataDir: string }) => void;
}

/** Runs it in a temporary data folder, which is removed afterwards. */
export async function runBackfill(options: BackfillOptions): Promise<BackfillRun> {
  const dataDir = await mkdtemp(join(tmpdir(), "firehose-backfill-bench-"));
  try {
    const cpuFolder = await mkdtemp(join(dataDir, "cpu-"));
    const reportCpu = new URL("./report-cpu.ts", import.meta.url);
    reportCpu.searchParams.set("folder", cpuFolder);
    const child = spawn(process.execPath, ["--expose-gc", "--import", reportCpu.href, BIN, ...options.args], {
      env: {
        ...process.env,
        AWS_EC2_METADATA_DISABLED: "true",
        BACKFILL_DATA_DIR: dataDir,
        PORT: "0",
        ...options.env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
    if (child.pid !== undefined) options.onStarted?.({ pid: child.pid, dataDir });
    const code = await new Promise<number>((resolve) => {
      child.once("close", (exitCode) => resolve(exitCode ?? 1));
    });
    const last = stdout.trim().split("\n").at(-1) ?? "";
    const final: Readonly<Record<string, unknown>> = last === "" ? {} : JSON.parse(last);
    const cpuSeconds = Number(await readFile(join(cpuFolder, String(child.pid)), "utf8"));
    return { final, code, stderr, cpuSeconds };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
