/** The process that queue-server.ts starts. */
import { onParentGone, reportReady } from "./child-side.ts";
import type { Fauxqs } from "./queue-server-fauxqs.ts";
import type { QueueServerSettings } from "./queue-server.ts";

let server: Fauxqs | undefined;
onParentGone(() => server?.close());

// After onParentGone(): the import takes most of the start-up, and a signal handler must exist by then.
const { openFauxqs, queueArn } = await import("./queue-server-fauxqs.ts");

const settings: QueueServerSettings = JSON.parse(process.argv[2] ?? "null");
server = await openFauxqs(settings);
// Longer than the retention of the work queue, so that dead letters are kept longer than other messages.
server.queue(settings.dlqName).setAttributes({ MessageRetentionPeriod: String(14 * 86_400) });
server.queue(settings.queueName).setAttributes({
  MessageRetentionPeriod: String(4 * 86_400),
  VisibilityTimeout: String(settings.visibilityTimeoutSeconds),
  RedrivePolicy: JSON.stringify({
    deadLetterTargetArn: queueArn(settings.dlqName),
    maxReceiveCount: settings.maxReceiveCount,
  }),
});
reportReady(server.port);
