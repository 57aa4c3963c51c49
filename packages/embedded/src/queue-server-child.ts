/** The process that queue-server.ts starts. */
import { onParentGone, reportReady } from "./child-side.ts";
import type { Fauxqs } from "./queue-server-fauxqs.ts";
import type { QueueServerSettings } from "./queue-server.ts";

let server: Fauxqs | undefined;
onParentGone(() => server?.close());

// After onParentGone(): the import takes most of the start-up, and a signal must find its handler.
const { openFauxqs, queueArn } = await import("./queue-server-fauxqs.ts");

const settings: QueueServerSettings = JSON.parse(process.argv[2] ?? "null");
server = await openFauxqs(settings);
// Longer than the queue's own retention: what is set aside must outlive what is not.
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
