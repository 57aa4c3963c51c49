/**
 * Where alarms are sent, and where reader and consumer report that a run ended or stopped: a new topic of this stage with
 * one subscriber, an existing topic, or nowhere; in that case the deploy says so.
 */
import { NO_ALARM_EMAIL } from "../packages/core/src/config/alarm-email.ts";

export type AlarmTopic =
  | { readonly kind: "email"; readonly arn: $util.Output<string>; readonly address: string }
  | { readonly kind: "topic"; readonly arn: string }
  | { readonly kind: "nowhere"; readonly isDeclined: boolean };

export function createAlarmTopic(settings: { alarmEmail: string | null; alarmTopicArn: string | null }): AlarmTopic {
  if (settings.alarmTopicArn !== null) return { kind: "topic", arn: settings.alarmTopicArn };
  if (settings.alarmEmail === null || settings.alarmEmail === NO_ALARM_EMAIL)
    return { kind: "nowhere", isDeclined: settings.alarmEmail === NO_ALARM_EMAIL };

  const topic = new sst.aws.SnsTopic("Alarms");
  new aws.sns.TopicSubscription("AlarmsEmail", {
    topic: topic.arn,
    protocol: "email",
    endpoint: settings.alarmEmail,
  });
  return { kind: "email", arn: topic.arn, address: settings.alarmEmail };
}

export function topicArnOf(topic: AlarmTopic): $util.Input<string> | null {
  return topic.kind === "nowhere" ? null : topic.arn;
}

/** One line for the deploy's output. */
export function describeAlarmTopic(topic: AlarmTopic): string {
  switch (topic.kind) {
    case "email":
      return `to ${topic.address}, once the subscription in that mailbox is confirmed`;
    case "topic":
      return `to ${topic.arn}`;
    case "nowhere":
      if (topic.isDeclined) return "NOWHERE, as BACKFILL_ALARM_EMAIL=none asks for";
      return "NOWHERE: set BACKFILL_ALARM_EMAIL or BACKFILL_ALARM_TOPIC_ARN and deploy again";
    default: {
      const unreachable: never = topic;
      throw new Error(`unknown topic ${String(unreachable)}`);
    }
  }
}
