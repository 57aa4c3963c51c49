/** Publishes to an SNS topic. The client is loaded when there is something to say, which is a few times in a run's life. */
import type { Notice } from "./run-notices.ts";

const CONNECT_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 2_000;

/** null: there is no topic, and nothing is told. */
export function publishTo(topicArn: string | null): (notice: Notice) => Promise<void> {
  return async ({ subject, message }) => {
    if (topicArn === null) return;
    const { PublishCommand, SNSClient } = await import("@aws-sdk/client-sns");
    // One try and a second one: after that the run has stopped all the same, and the function's own time is short.
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
