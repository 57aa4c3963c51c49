/** Reads which profiles a benchmark should use: `--profiles background,fast` among its other options. */
import { PROFILES } from "@firehose-backfill/core/config/profiles";
import type { ProfileName } from "@firehose-backfill/core/config/settings";

export const PROFILE_NAMES = Object.keys(PROFILES) as readonly ProfileName[];

/** The named profiles of `known`, or all if none is named; and the remaining arguments. @throws for an unknown name */
export function takeProfiles<Name extends string>(
  args: readonly string[],
  known: readonly Name[],
): { readonly profiles: readonly Name[]; readonly rest: readonly string[] } {
  const at = args.indexOf("--profiles");
  if (at === -1) return { profiles: known, rest: args };
  const profiles = (args[at + 1] ?? "").split(",").map((given) => {
    const name = known.find((candidate) => candidate === given);
    if (name === undefined) throw new Error(`--profiles ${given}: it takes ${known.join(", ")}`);
    return name;
  });
  return { profiles, rest: args.toSpliced(at, 2) };
}
