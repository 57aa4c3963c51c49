/**
 * fauxqs 2.4.1, assembled from its parts, because its own `startFauxqs()` listens on every interface and does not give access to its
 * stores. The parts are not exported, so they are imported by path; the version is pinned exactly.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { buildApp } from "fauxqs";

type Stores = NonNullable<NonNullable<Parameters<typeof buildApp>[0]>["stores"]>;
type SqsStore = Stores["sqsStore"];
type Persistence = NonNullable<SqsStore["persistence"]>;

export interface Fauxqs {
  readonly port: number;
  /** The existing queue of that name, or a new one. */
  queue(name: string): { setAttributes(attributes: Record<string, string>): void };
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. @throws if another process still serves the same folder after `folderTimeoutMs` */
export async function openFauxqs(options: { dataDir: string; folderTimeoutMs: number }): Promise<Fauxqs> {
  mkdirSync(options.dataDir, { recursive: true });
  const lock = lockFolder(options.dataDir, options.folderTimeoutMs);
  const { stores, persistence } = await openStores(options.dataDir);
  const { sqsStore } = stores;
  const app = buildApp({ logger: false, stores });
  const address = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
  return {
    port: Number(address.port),
    queue: (name) =>
      sqsStore.getQueueByName(name) ??
      sqsStore.createQueue(name, new URL(`/000000000000/${name}`, address).href, queueArn(name)),
    async close() {
      await app.close();
      persistence.close();
      lock.close();
    },
  };
}

export function queueArn(name: string): string {
  return `arn:aws:sqs:us-east-1:000000000000:${name}`;
}

async function openStores(dataDir: string): Promise<{ stores: Stores; persistence: Persistence }> {
  const { PersistenceManager } = await importPart<{ PersistenceManager: new (dataDir: string) => Persistence }>(
    "persistence.js",
  );
  const sqs = await importPart<{ SqsStore: new () => SqsStore }>("sqs/sqsStore.js");
  const sns = await importPart<{ SnsStore: new () => Stores["snsStore"] }>("sns/snsStore.js");
  const s3 = await importPart<{ S3Store: new () => Stores["s3Store"] }>("s3/s3Store.js");

  const persistence = new PersistenceManager(dataDir);
  mend(persistence);
  const sqsStore = new sqs.SqsStore();
  const snsStore = new sns.SnsStore();
  // Loaded before it is attached: creating a queue while attached would replace its row and delete its messages.
  persistence.loadSqsAndSns(sqsStore, snsStore);
  sqsStore.persistence = persistence;
  for (const queue of sqsStore.allQueues()) queue.persistence = persistence;
  return { stores: { sqsStore, snsStore, s3Store: new s3.S3Store() }, persistence };
}

function mend(persistence: Persistence): void {
  const db: DatabaseSync = persistence["db"];
  // 2.4.1 writes NULL into a NOT NULL column here: hiding for 0 s failed, and the message was in no list any more.
  const makeReady = db.prepare(
    "UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?",
  );
  persistence.updateMessageReady = (messageId) => void makeReady.run(messageId);
  // With the default, every message waits for the disk. A killed process loses nothing, because the kernel has the log; only a
  // power failure could lose the last messages, and batches that are in no queue are read again.
  db.exec("PRAGMA synchronous = NORMAL");
}

/**
 * One server for each folder: fauxqs keeps its queues in memory, and two servers would overwrite each other. The kernel holds the
 * lock and releases it when the process ends.
 */
function lockFolder(dataDir: string, timeout: number): DatabaseSync {
  const lock = new DatabaseSync(join(dataDir, "lock.db"), { timeout });
  lock.exec("BEGIN EXCLUSIVE");
  return lock;
}

async function importPart<Part>(path: string): Promise<Part> {
  const part: Part = await import(new URL(path, import.meta.resolve("fauxqs")).href);
  return part;
}
