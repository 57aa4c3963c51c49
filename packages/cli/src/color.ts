/** Whether to use colours on a stream: only on a terminal, and not if NO_COLOR is set (no-color.org) or TERM is dumb. */
import type { CliContext, Output } from "./context.ts";

export function wantsColor({ env }: Pick<CliContext, "env">, output: Output): boolean {
  const isRefused = env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "";
  return output.isTerminal && !isRefused && env["TERM"] !== "dumb";
}
