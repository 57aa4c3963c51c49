/** A parent for table-server.test.ts: starts a table server, says where it is, and waits to be killed. */
import { onParentGone, reportReady } from "./child-side.ts";
import { startTableServer } from "./table-server.ts";

onParentGone(() => {});
const server = await startTableServer({ dataDir: process.argv[2] ?? "" });
reportReady(JSON.stringify({ pid: server.pid, endpoint: server.endpoint, table: server.table }));
