/** The process that table-server.ts starts. */
import { mkdirSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onParentGone, reportReady } from "./child-side.ts";
import type { TableServerSettings } from "./table-server.ts";

/** Longer than any pause between two calls of a client: if a connection closes during a request, the client sends it again. */
const KEEP_ALIVE_MS = 120_000;

let server: Server | undefined;
onParentGone(() => (server === undefined ? undefined : close(server)));

// After onParentGone(): the import takes most of the start-up, and a signal handler must exist by then.
const { default: dynalite } = await import("dynalite");

const settings: TableServerSettings = JSON.parse(process.argv[2] ?? "null");
mkdirSync(settings.dataDir, { recursive: true });
// If another process has its LevelDB, dynalite does not report it and never answers. So this lock comes first: the kernel holds it,
// it ends with the process, and it waits for a predecessor that is ending. The reference keeps it until the end.
const lock = new DatabaseSync(join(settings.dataDir, "lock.db"), { timeout: settings.folderTimeoutMs });
lock.exec("BEGIN EXCLUSIVE");

server = dynalite({ path: join(settings.dataDir, "db"), createTableMs: 0 });
server.keepAliveTimeout = KEEP_ALIVE_MS;
reportReady(await listen(server));

function listen(on: Server): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  on.once("error", reject);
  on.listen(0, "127.0.0.1", () => {
    const address = on.address();
    if (typeof address === "object" && address !== null) resolve(address.port);
    else reject(new Error("dynalite has no port"));
  });
  return promise;
}

/** Answers the requests in progress, then closes the LevelDB. */
function close(running: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  running.close(() => {
    lock.close();
    resolve();
  });
  running.closeIdleConnections();
  return promise;
}
