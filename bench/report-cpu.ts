/**
 * Loaded into a program with `--import`: when the process ends, it writes the CPU time that it has used into a file of its pid in the folder
 * that the query names. What is sampled from outside lacks the last half second.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = new URL(import.meta.url).searchParams.get("folder");

process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  if (folder !== null) writeFileSync(join(folder, String(process.pid)), String((user + system) / 1_000_000));
});
