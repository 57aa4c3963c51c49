/**
 * Gets this folder's own node_modules ready: `npm ci`, then better-sqlite3 built for the Node that runs now. Both are
 * done once for a lock file and a Node. Apart from the workspaces because it is heavy and only this test needs it.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const MARK = `${FOLDER}node_modules/.ready`;

/**
 * @param {(line: string) => void} log
 * @returns {Promise<void>} rejects when a step fails, with the end of what it printed
 */
export async function prepareNodeModules(log) {
  const lock = await readFile(`${FOLDER}package-lock.json`);
  const wanted = `${createHash("sha256").update(lock).digest("hex")} ${process.version} ${process.platform}-${process.arch}\n`;
  if (existsSync(MARK) && (await readFile(MARK, "utf8")) === wanted) return;
  log("installing @atproto/pds and what it needs (about 90 s, once)");
  // No install scripts: the only one that matters would build for the Node that npm runs on.
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: FOLDER, env: process.env });
  log(`building better-sqlite3 for Node ${process.version} (about 90 s, once)`);
  await buildSqlite();
  await writeFile(MARK, wanted);
}

async function buildSqlite() {
  // The package of this very Node brings its headers; without it node-gyp downloads them.
  const headers = `${FOLDER}node_modules/node-${process.platform}-${process.arch}`;
  const env = existsSync(`${headers}/include/node`) ? { ...process.env, npm_config_nodedir: headers } : process.env;
  const gyp = `${FOLDER}node_modules/node-gyp/bin/node-gyp.js`;
  await run(process.execPath, [gyp, "rebuild", "--release"], { cwd: `${FOLDER}node_modules/better-sqlite3`, env });
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<void>}
 */
async function run(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
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
