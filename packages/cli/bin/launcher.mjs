/**
 * Launches every program of this project. It is plain JavaScript, because an older Node must be able to read it. An older Node
 * starts the pinned Node with the same arguments; the pinned Node exposes the garbage collector (for the memory guard) and runs the program.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const NEEDED_MAJOR = 24;

/** `script`: the program's own path. `run`: loads the code that an older Node cannot read, and resolves with the exit code. */
export async function launch({ script, run }) {
  if (Number(process.versions.node.split(".", 1)[0]) < NEEDED_MAJOR) {
    handOver(script);
    return;
  }
  endWithLauncher();
  if (globalThis.gc === undefined) {
    setFlagsFromString("--expose-gc");
    globalThis.gc = runInNewContext("gc");
  }
  const code = await run();
  // Open handles (such as a lingering socket) must not keep a finished command alive.
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write("", done))));
  // The command succeeded, but its output could not be printed: that is an error.
  process.exit(code === 0 ? process.exitCode : code);
}

/** Starts the pinned Node with the same flags, arguments and terminal; signals are passed on, and its exit code is ours. */
function handOver(script) {
  const node = pinnedNode(script);
  if (node === null) {
    process.stderr.write(
      `firehose-backfill: needs Node ${NEEDED_MAJOR} or later, this is ${process.versions.node}, and the pinned one is not installed.\n` +
        "Install it with: npm rebuild node (after npm ci --ignore-scripts), or npm ci\n",
    );
    process.exit(1);
  }
  const flags = new Set(["--expose-gc", ...process.execArgv]);
  const child = spawn(node, [...flags, script, ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`firehose-backfill: ${node} could not be started: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}

/** Searched from the program's folder upwards, as `require` does. */
function pinnedNode(script) {
  try {
    const folder = dirname(createRequire(script).resolve("node/package.json"));
    const path = join(folder, "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

/** If an older Node started this one and is gone, even after SIGKILL, the channel to it closes, and this one stops gracefully. */
function endWithLauncher() {
  if (!process.connected) return;
  process.channel?.unref();
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
}
