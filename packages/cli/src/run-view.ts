/** Shows the runs in progress: a redrawn block on a terminal, plain lines otherwise, JSON on stdout on request. */
import { renderJson } from "@firehose-backfill/status/render-json";
import { renderRunsBlock } from "@firehose-backfill/status/render-runs-text";
import { renderText } from "@firehose-backfill/status/render-text";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { wantsColor } from "./color.ts";
import type { CliContext } from "./context.ts";
import { TerminalBlock } from "./terminal-block.ts";

export interface RunView {
  readonly log: (line: string) => void;
  /** `all`: of each open run. */
  readonly onTick: (snapshot: Snapshot, all?: readonly Snapshot[]) => void;
  readonly onSnapshot: (snapshot: Snapshot) => void;
}

export function runView(context: CliContext, options: { readonly json: boolean }): RunView {
  const { stdout, stderr } = context;
  const onSnapshot = (snapshot: Snapshot): void => {
    if (options.json) stdout.write(`${renderJson(snapshot)}\n`);
  };
  // JSON lines on the same screen would break the block.
  const isBlock = stderr.isTerminal && !(options.json && stdout.isTerminal);
  if (!isBlock) {
    return { log: (line) => stderr.write(`${line}\n`), onTick: () => {}, onSnapshot };
  }
  const block = new TerminalBlock(stderr);
  let several: readonly Snapshot[] = [];
  const draw = (snapshot: Snapshot): void => {
    const how = { width: stderr.columns(), color: wantsColor(context, stderr) };
    block.draw(several.length > 1 ? renderRunsBlock(several, how) : renderText(snapshot, how));
  };
  return {
    log: (line) => {
      block.print(line);
    },
    onTick: (snapshot, all = []) => {
      several = all;
      draw(snapshot);
    },
    onSnapshot: (snapshot) => {
      draw(snapshot);
      onSnapshot(snapshot);
    },
  };
}
