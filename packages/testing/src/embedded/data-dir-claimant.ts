/** A process for data-dir.test.ts: tries to claim the folder of its first argument, reports the result, and holds it until asked to stop. */
import { AlreadyRunningError, claimDataDir } from "@firehose-backfill/embedded/data-dir";

const [dataDir] = process.argv.slice(2);
if (dataDir === undefined) throw new Error("usage: data-dir-fixture FOLDER");
try {
  await claimDataDir(dataDir);
  process.send?.("won");
} catch (error) {
  process.send?.(error instanceof AlreadyRunningError ? "lost" : String(error));
}
process.once("disconnect", () => process.exit(0));
