/** A process for postgres-server.test.ts that starts a server, reports its pid, and waits to be killed. */
import { onParentGone, reportReady } from "@firehose-backfill/embedded/child-side";
import { startPostgres } from "@firehose-backfill/embedded/postgres-server";

onParentGone(() => {});
const postgres = await startPostgres({ dataDir: process.argv[2] ?? "", throwaway: true });
reportReady(postgres.pid);
