/** Reads names among a benchmark's options: `--profiles background,fast`. */
import { PROFILES } from "@firehose-backfill/core/config/profiles";
import type { ProfileName } from "@firehose-backfill/core/config/settings";

export const PROFILE_NAMES = Object.keys(PROFILES) as readonly ProfileName[];

/** The names after `option`, or all of `known` if it is not given; and the remaining arguments. @throws for an unknown name */
export function takeNames<Name extends string>(
  args: readonly string[],
  option: `--${string}`,
  known: readonly Name[],
): { readonly names: readonly Name[]; readonly rest: readonly string[] } {
  const at = args.indexOf(option);
  if (at === -1) return { names: known, rest: args };
  const names = (args[at + 1] ?? "").split(",").map((given) => {
    const name = known.find((candidate) => candidate === given);
    if (name === undefined) throw new Error(`${option} ${given}: it takes ${known.join(", ")}`);
    return name;
  });
  return { names, rest: args.toSpliced(at, 2) };
}
