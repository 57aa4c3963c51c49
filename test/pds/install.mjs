/**
 * Gets this folder's own node_modules ready, once for a lock file. Apart from the workspaces because it is heavy and
 * only this test needs it.
 *
 * `overrides` in package.json: better-sqlite3 13 in place of the 12 that the PDS asks for. 13 is built on Node-API and
 * brings its binaries along; 12 would have to be compiled, and aborts Node 24.19 and later at a garbage collection.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
/** Names the lock file that was installed. */
const MARK = `${FOLDER}node_modules/.installed`;

/**
 * @param {(line: string) => void} log
 * @returns {Promise<void>} rejects when npm fails, with the end of what it printed
 */
export async function prepareNodeModules(log) {
  const lock = await readFile(`${FOLDER}package-lock.json`);
  const wanted = createHash("sha256").update(lock).digest("hex");
  if (existsSync(MARK) && (await readFile(MARK, "utf8")) === wanted) return;
  log("installing @atproto/pds and what it needs (about 90 s, once)");
  // No install scripts: nothing here needs one.
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
  await writeFile(MARK, wanted);
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<void>}
 */
async function run(command, args) {
  const child = spawn(command, args, { cwd: FOLDER, stdio: ["ignore", "pipe", "pipe"] });
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      tail = (tail + text).slice(-4096);
    });
  }
  await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(undefined);
      else reject(new Error(`${command} ${args.join(" ")} ended with ${code}:\n${tail}`));
    });
  });
}
