/** A parent for queue-server.test.ts: starts a queue server, puts a message into it, and waits to be killed. */
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { onParentGone, reportReady } from "@firehose-backfill/embedded/child-side";
import { startQueueServer } from "@firehose-backfill/embedded/queue-server";

onParentGone(() => {});
const { endpoint, queueUrl, pid } = await startQueueServer({ dataDir: process.argv[2] ?? "" });
const client = new SQSClient({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "x", secretAccessKey: "x" },
});
await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: "from the parent" }));
reportReady(pid);
