/** The stand-in for SQS: fauxqs as a child process on loopback, with everything it holds in SQLite. */
import { forkChild } from "./child.ts";

export interface QueueServerOptions {
  /** A folder of its own; made if it is missing. What is in it when the server starts is served again. */
  readonly dataDir: string;
  /** How long a received message stays hidden when the receiver does not say. 10. */
  readonly visibilityTimeoutSeconds?: number;
  /** Receives after which the server itself moves a message to the dead-letter queue. 1000, as on AWS. */
  readonly maxReceiveCount?: number;
  /** How long to wait for another server to leave the folder: one whose parent was killed needs a moment. 5,000. */
  readonly folderTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface QueueServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, another port at every start. */
  readonly endpoint: string;
  readonly queueUrl: string;
  readonly dlqUrl: string;
  readonly pid: number;
  /** Resolves when the process is gone, whatever ended it. */
  readonly exited: Promise<number | null>;
}

/** What queue-server-child.ts is given, as its one argument. */
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
 * Resolves once both queues answer. The server ends with this process, however that ends, and what it had
 * confirmed is there at the next start, also after SIGKILL.
 * @throws ChildError when it cannot start
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
  // fauxqs names a host that does not resolve in its queue URLs, and the port of the first start; it looks at
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
