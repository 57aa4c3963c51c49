/** Publishes to an SNS topic. The client is loaded when there is something to say, which is a few times in a run's life. */
import type { Notice } from "./run-notices.ts";

/** null: there is no topic, and nothing is told. */
export function publishTo(topicArn: string | null): (notice: Notice) => Promise<void> {
  return async ({ subject, message }) => {
    if (topicArn === null) return;
    const { PublishCommand, SNSClient } = await import("@aws-sdk/client-sns");
    const client = new SNSClient();
    try {
      await client.send(new PublishCommand({ TopicArn: topicArn, Subject: subject, Message: message }));
    } finally {
      client.destroy();
    }
  };
}
