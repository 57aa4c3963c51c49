/** A parent for table-server.test.ts: starts a table server, reports its address, and waits to be killed. */
import { onParentGone, reportReady } from "@firehose-backfill/embedded/child-side";
import { startTableServer } from "@firehose-backfill/embedded/table-server";

onParentGone(() => {});
const server = await startTableServer({ dataDir: process.argv[2] ?? "" });
reportReady(JSON.stringify({ pid: server.pid, endpoint: server.endpoint, table: server.table }));
