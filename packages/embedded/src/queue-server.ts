/** The stand-in for SQS: fauxqs as a child process on loopback, which stores everything in SQLite. */
import { forkChild } from "./child.ts";

export interface QueueServerOptions {
  /** Its own folder; created if it is missing. A later start serves the messages in it again. */
  readonly dataDir: string;
  /** How long a received message stays hidden if the receiver does not say. Default: 10. */
  readonly visibilityTimeoutSeconds?: number;
  /** The number of receives after which the server itself dead-letters a message. Default: 1000, as on AWS. */
  readonly maxReceiveCount?: number;
  /** How long to wait for another server to leave the folder: one whose parent was killed needs a moment. Default: 5,000. */
  readonly folderTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface QueueServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, another port at every start. */
  readonly endpoint: string;
  readonly queueUrl: string;
  readonly dlqUrl: string;
  readonly pid: number;
  /** Resolves when the process is gone, for any reason. */
  readonly exited: Promise<number | null>;
}

/** The one argument of queue-server-child.ts. */
export interface QueueServerSettings {
  readonly dataDir: string;
  readonly queueName: string;
  readonly dlqName: string;
  readonly visibilityTimeoutSeconds: number;
  readonly maxReceiveCount: number;
  readonly folderTimeoutMs: number;
}

const ENTRY = new URL("./queue-server-child.ts", import.meta.url);
const READY_TIMEOUT_MS = 30_000;
const QUEUE_NAME = "firehose-backfill";
const DLQ_NAME = "firehose-backfill-dead";

/**
 * Resolves when both queues answer. The server ends with this process, however that ends, and everything that it confirmed
 * is there at the next start, even after SIGKILL.
 * @throws ChildError if it cannot start
 */
export async function startQueueServer(options: QueueServerOptions): Promise<QueueServer> {
  const settings: QueueServerSettings = {
    dataDir: options.dataDir,
    queueName: QUEUE_NAME,
    dlqName: DLQ_NAME,
    visibilityTimeoutSeconds: options.visibilityTimeoutSeconds ?? 10,
    maxReceiveCount: options.maxReceiveCount ?? 1000,
    folderTimeoutMs: options.folderTimeoutMs ?? 5000,
  };
  const child = await forkChild({
    entry: ENTRY,
    args: [JSON.stringify(settings)],
    readyTimeoutMs: READY_TIMEOUT_MS,
    signal: options.signal,
  });
  const endpoint = `http://127.0.0.1:${Number(child.ready)}`;
  // fauxqs' own queue URLs have a host that does not resolve, and the port of the first start; it reads
  // the last part of the path only.
  const queueUrl = (name: string) => `${endpoint}/000000000000/${name}`;
  return {
    endpoint,
    queueUrl: queueUrl(QUEUE_NAME),
    dlqUrl: queueUrl(DLQ_NAME),
    pid: child.pid,
    exited: child.exited,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
