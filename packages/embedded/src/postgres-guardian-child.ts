/**
 * The process between the stack and Postgres. It starts the server, keeps its log, and stops it when the stack stops or is
 * gone, even after SIGKILL, which the server alone would survive. postgres-server.ts starts it.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onParentGone, reportReady } from "./child-side.ts";
import { type Account, reachFolder } from "./postgres-account.ts";
import { boundedLog } from "./postgres-log.ts";
import { endPostmaster, readPostmaster } from "./postgres-process.ts";

/** Passed as one JSON argument. */
export interface GuardianTask {
  readonly folder: string;
  readonly binDir: string;
  readonly account: Account;
  readonly settings: Readonly<Record<string, string>>;
}

/** What the guardian reports once the server accepts connections. */
export interface GuardianReport {
  readonly pid: number;
  readonly port: number;
}

const START_ATTEMPTS = 5;
const POLL_MS = 10;
const STOP_PATIENCE_MS = 2_500;

interface Server {
  readonly process: ChildProcess;
  readonly gone: Promise<void>;
  readonly said: () => string;
}

async function guard(task: GuardianTask): Promise<void> {
  const stopped = new AbortController();
  let server: Server | null = null;
  onParentGone(async () => {
    stopped.abort();
    if (server === null || hasEnded(server)) return;
    // A new server has not entered its folder yet, so isPostmaster() would not recognise it; but it is our own child.
    server.process.kill("SIGINT");
    await Promise.race([server.gone, sleep(STOP_PATIENCE_MS)]);
    if (server.process.pid !== undefined && !hasEnded(server))
      await endPostmaster(server.process.pid, join(task.folder, "data"));
  });
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    if (stopped.signal.aborted) return;
    server = await launch(task, port);
    if (await isReady(server, join(task.folder, "data"), port)) {
      // If the server ends by itself, this process ends, too, so that the stack notices.
      void server.gone.then(() => (stopped.signal.aborted ? undefined : process.exit(1)));
      reportReady({ pid: server.process.pid ?? 0, port } satisfies GuardianReport);
      return;
    }
    // Another program may have taken the port between our check and the server's bind.
    if (attempt === START_ATTEMPTS || !server.said().includes("could not bind")) {
      throw new Error(`Postgres did not start:\n${server.said()}`);
    }
  }
}

async function launch(task: GuardianTask, port: number): Promise<Server> {
  await using reach = await reachFolder(task.folder, task.account);
  const settings = { ...task.settings, port: String(port) };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(join(task.binDir, "postgres"), ["-D", join(reach.path, "data"), ...args], {
    ...task.account,
    cwd: reach.cwd,
    // A process group of its own: Ctrl-C in the terminal is for the stack, which then stops the server.
    detached: true,
    env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
    stdio: ["ignore", "pipe", "pipe", ...reach.fds],
  });
  const log = boundedLog(join(task.folder, "postgres.log"));
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      log(text);
      tail = (tail + text).slice(-2000);
    });
  }
  const gone = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", (error) => {
      tail += error.message;
      resolve();
    });
  });
  return { process: child, gone, said: () => tail };
}

/** False: the server ended first. There is no time limit here, because recovery may take long; the parent decides. */
async function isReady(server: Server, pgData: string, port: number): Promise<boolean> {
  while (!hasEnded(server)) {
    const postmaster = await readPostmaster(pgData);
    if (postmaster?.ready === true && postmaster.port === port && postmaster.pid === server.process.pid) return true;
    await sleep(POLL_MS);
  }
  // Wait for "gone", so that all of its output has been read.
  await server.gone;
  return false;
}

function hasEnded(server: Server): boolean {
  const { pid, exitCode, signalCode } = server.process;
  return pid === undefined || exitCode !== null || signalCode !== null;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => probe.once("error", reject).listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port on 127.0.0.1");
  return address.port;
}

const given: GuardianTask = JSON.parse(process.argv[2] ?? "");
await guard(given);
