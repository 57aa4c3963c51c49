/** The built program: `firehose-backfill run` unless another command is named. */
import { main } from "./main.ts";
import { processContext } from "./process-context.ts";

/** Resolves with the exit code; never rejects. */
export function serve(process: NodeJS.Process): Promise<number> {
  const context = processContext(process);
  return main({ ...context, argv: commandOf(context.argv) });
}

/** If only options are given, they belong to `run`. */
export function commandOf(argv: readonly string[]): readonly string[] {
  const [first] = argv;
  return first === undefined || first.startsWith("-") ? ["run", ...argv] : argv;
}
