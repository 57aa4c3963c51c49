/** Whether colours are wanted on a stream: on a terminal, unless NO_COLOR holds anything (no-color.org) or TERM is dumb. */
import type { CliContext, Output } from "./context.ts";

export function wantsColor({ env }: Pick<CliContext, "env">, output: Output): boolean {
  const isRefused = env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "";
  return output.isTerminal && !isRefused && env["TERM"] !== "dumb";
}
