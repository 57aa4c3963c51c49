/** The configuration of a control event; settings that this process could not keep are refused before a run is created. */
import { unwishedSample } from "@firehose-backfill/core/config/sample-wish";
import type { Config, Settings } from "@firehose-backfill/core/config/settings";
import { ConfigError } from "@firehose-backfill/core/errors";
import { limitBelowUse } from "@firehose-backfill/throttle/process-memory";

type Configure = (values: Readonly<Record<string, string>>) => Config;

/** `atStart`: the memory limit that this process was started with, which was checked then. */
export function checkedConfigure(configure: Configure, atStart: Pick<Settings, "maxMemoryMb">): Configure {
  return (values) => {
    const wanted = configure(values);
    const { maxMemoryMb } = wanted.settings;
    const belowUse = maxMemoryMb < atStart.maxMemoryMb ? limitBelowUse(maxMemoryMb) : null;
    const problems = [unwishedSample(wanted), belowUse].filter((problem) => problem !== null);
    if (problems.length > 0) throw new ConfigError(problems);
    return wanted;
  };
}
