/** A progress bar on stderr for a wait whose usual length is known. */
import { terminalLine } from "@firehose-backfill/status/terminal";
import { wantsColor } from "./color.ts";
import type { CliContext } from "./context.ts";
import { TerminalBlock } from "./terminal-block.ts";

/** The usual time of a plan: eight points, one connection after the other. */
const USUAL_MS = 30_000;
const EVERY_MS = 500;
const CELLS = 30;

/** Resolves with the result of `work`. Nothing is drawn in a pipe. */
export async function withBar<T>(context: CliContext, work: Promise<T>): Promise<T> {
  const { clock, stderr } = context;
  if (!stderr.isTerminal) return work;
  const block = new TerminalBlock(stderr);
  const done = new AbortController();
  const startedAtMs = clock.now();
  const options = { width: stderr.columns(), color: wantsColor(context, stderr) };
  const draw = async () => {
    while (!done.signal.aborted) {
      const passedMs = clock.now() - startedAtMs;
      // Never full before the work is done, because the relay decides how long it takes.
      const filled = Math.min(CELLS - 1, Math.floor((passedMs / USUAL_MS) * CELLS));
      const bar = [
        { text: "█".repeat(filled), ink: "green" },
        { text: "░".repeat(CELLS - filled), ink: "dim" },
      ] as const;
      block.draw([terminalLine(["Looking at the relay ", ...bar, ` ${Math.round(passedMs / 1_000)} s`], options)]);
      await clock.sleep(EVERY_MS, done.signal);
    }
    block.clear();
  };
  const drawn = draw();
  try {
    return await work;
  } finally {
    done.abort();
    await drawn;
  }
}
