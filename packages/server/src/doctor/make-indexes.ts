/** `doctor --indexes`: makes optional indexes, in the database of the settings or the embedded one of a process that is running. */
import type { Settings } from "@firehose-backfill/core/config/settings";
import { UsageError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { findPostgresUrl } from "@firehose-backfill/embedded/postgres-address";
import { openDesk } from "../open-sink.ts";
import { type Check, fail, isolated, ok } from "./check.ts";

/** null: none are requested. @throws UsageError for a set that does not exist */
export async function makeIndexes(
  settings: Pick<Settings, "databaseUrl" | "dataDir">,
  wanted: readonly string[],
): Promise<Check | null> {
  if (wanted.length === 0) return null;
  const databaseUrl = settings.databaseUrl ?? (await findPostgresUrl(settings.dataDir));
  if (databaseUrl === null) {
    const advice = "set DATABASE_URL, or repeat this command while firehose-backfill run is running";
    return fail("indexes", `no database is running on ${settings.dataDir}`, advice);
  }
  const { indexes } = openDesk(databaseUrl);
  const unknown = wanted.find((set) => !Object.hasOwn(indexes.sets, set));
  if (unknown !== undefined) {
    const known = Object.keys(indexes.sets).join(", ");
    throw new UsageError(`doctor: --indexes names "${escapeForLog(unknown, 40)}"; it takes some of: ${known}`);
  }
  return await isolated("indexes", async () => {
    const { made, there } = await indexes.make(wanted);
    const parts = [
      ...(made.length === 0 ? [] : [`made ${made.join(", ")}`]),
      ...(there.length === 0 ? [] : [`there already: ${there.join(", ")}`]),
    ];
    return ok("indexes", parts.join("; "));
  });
}
