/** Publishes to an SNS topic. The client is loaded at the first message; a run has only a few. */
import type { Notice } from "./run-notices.ts";

const CONNECT_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 2_000;

/** null: there is no topic, and nothing is published. */
export function publishTo(topicArn: string | null): (notice: Notice) => Promise<void> {
  return async ({ subject, message }) => {
    if (topicArn === null) return;
    const { PublishCommand, SNSClient } = await import("@aws-sdk/client-sns");
    // Two tries only: the run has stopped in any case, and the function's own time is short.
    const client = new SNSClient({
      maxAttempts: 2,
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        throwOnRequestTimeout: true,
      },
    });
    try {
      await client.send(new PublishCommand({ TopicArn: topicArn, Subject: subject, Message: message }));
    } finally {
      client.destroy();
    }
  };
}
