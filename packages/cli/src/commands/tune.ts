/** `tune`: changes the throttle settings of a running run, within one batch. */
import { TUNABLE_NAMES } from "@firehose-backfill/core/config/tune";
import { UsageError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { settingValue } from "@firehose-backfill/status/setting-value";
import { tunableSettings } from "@firehose-backfill/status/tunable";
import type { Command } from "../command.ts";
import { RUN_OPTION, runOf, TARGET_OPTIONS } from "../find-target.ts";
import { steer } from "../steer-here.ts";

export const tune: Command = {
  name: "tune",
  summary: "Change the pace of the open run; takes effect within one batch.",
  details:
    "For a faster pace the reader reads again what is in the queue and not yet due; until then the counts are a little\nlower. A deployed run does this at its next tick, within a minute. A value above what was deployed is lowered to the\ndeployed value, and the answer says so.",
  options: { ...RUN_OPTION, ...TARGET_OPTIONS },
  operands: {
    name: "KEY=VALUE …",
    help: "Throttle settings, or BACKFILL_PROFILE=NAME.",
    words: TUNABLE_NAMES.map((name) => `${name}=`),
  },
  examples: [
    { line: "tune BACKFILL_BATCH_DELAY_MS=4000", does: "Half as fast as the background profile." },
    {
      line: "tune BACKFILL_PROFILE=moderate BACKFILL_MAX_CONCURRENT=1",
      does: "A profile, and one setting that differs from it.",
    },
  ],
  run: async (context, args) => {
    const settings = parsePairs(args.operands);
    return steer(context, args, { action: "tune", settings, ...runOf(args) });
  },
};

/** @throws UsageError */
function parsePairs(operands: readonly string[]): Readonly<Record<string, string | number | boolean>> {
  if (operands.length === 0) {
    const names = tunableSettings().map(({ name }) => name);
    throw new UsageError(`tune takes KEY=VALUE with one of ${["BACKFILL_PROFILE", ...names].join(", ")}`);
  }
  const settings: Record<string, string | number | boolean> = {};
  for (const operand of operands) {
    const [, name, value] = /^([A-Z][A-Z_]*)=(.+)$/s.exec(operand.trim()) ?? [];
    if (name === undefined || value === undefined) {
      throw new UsageError(
        `tune takes KEY=VALUE, not "${escapeForLog(operand, 80)}"; for example BACKFILL_BATCH_DELAY_MS=4000`,
      );
    }
    if (name in settings) throw new UsageError(`tune: ${name} is given twice`);
    settings[name] = settingValue(value.trim());
  }
  return settings;
}
