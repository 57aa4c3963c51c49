/**
 * Counts the processor's instructions for a frame with valgrind's callgrind. The count does not depend on the speed of the machine, so it
 * is the best figure for comparing two versions; it does not show stalls, such as cache misses.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LaneSpec } from "./lane.ts";

const CHILD = fileURLToPath(new URL("./passes-child.ts", import.meta.url));
/**
 * Both runs include the start, loading of the recording and compilation, so the difference is 40 passes over the recording by
 * compiled code.
 */
const FEWER_PASSES = 40;
const MORE_PASSES = 80;
const VALGRIND_FLAGS = ["--tool=callgrind", "--smc-check=all-non-file", "--callgrind-out-file=/dev/null"];
/** With one thread, garbage collector and compiler run in that thread and are counted at fixed points. */
const NODE_FLAGS = ["--single-threaded", "--no-warnings", "--max-semi-space-size=4"];

/** Instructions for one frame. null: this machine has no valgrind. @throws Error if valgrind or the decoder fails */
export async function instructionsPerFrame(spec: LaneSpec): Promise<number | null> {
  const fewer = await count(spec, FEWER_PASSES);
  if (fewer === null) return null;
  const more = await count(spec, MORE_PASSES);
  if (more === null) return null;
  return Math.round((more.instructions - fewer.instructions) / ((MORE_PASSES - FEWER_PASSES) * fewer.frames));
}

async function count(
  spec: LaneSpec,
  passes: number,
): Promise<{ readonly instructions: number; readonly frames: number } | null> {
  const args = [...VALGRIND_FLAGS, process.execPath, ...NODE_FLAGS, CHILD, JSON.stringify(spec), String(passes)];
  const child = spawn("valgrind", args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let messages = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (messages += text));
  try {
    const [code]: unknown[] = await once(child, "close");
    const collected = /Collected : (\d+)/.exec(messages)?.[1];
    const frames = Number(output);
    if (code !== 0 || collected === undefined || !(frames > 0))
      throw new Error(`valgrind ended with ${String(code)}:\n${messages.slice(-2_000)}`);
    return { instructions: Number(collected), frames };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
