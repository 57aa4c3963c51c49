/** Creates all resources of one stage. The order follows the dependencies: a resource exists before a function names it. */
import { createAlarmTopic, describeAlarmTopic, topicArnOf } from "./alarm-topic.ts";
import { createAlarms } from "./alarms.ts";
import { createConsumer } from "./consumer.ts";
import { createControl } from "./control.ts";
import { createDashboard } from "./dashboard.ts";
import { NAMESPACE, SERVICE } from "./metrics.ts";
import { createQueues } from "./queue.ts";
import { createReader } from "./reader.ts";
import { createSecrets } from "./secrets.ts";
import { readSettings } from "./settings.ts";
import { createStatus } from "./status.ts";
import { createTable } from "./table.ts";
import { createTestEvents } from "./test-events.ts";

/** @throws ConfigError if a setting is wrong, before anything is created. */
export function deployBackfill(): Record<string, $util.Input<string>> {
  const settings = readSettings(process.env);
  const isProduction = $app.stage === "production";

  const table = createTable({ isProduction });
  const { work, deadLetters } = createQueues({ isProduction });
  const { databaseUrl } = createSecrets();
  const alarmTopic = createAlarmTopic(settings.config.settings);
  const alarmTopicArn = topicArnOf(alarmTopic);

  const resources = {
    tableArn: table.arn,
    workArn: work.arn,
    deadLettersArn: deadLetters.arn,
    alarmTopicArn,
  };
  const environment = {
    BACKFILL_TABLE: table.name,
    BACKFILL_QUEUE_URL: work.url,
    BACKFILL_DLQ_URL: deadLetters.url,
    ...(alarmTopicArn === null ? {} : { BACKFILL_ALARM_TOPIC_ARN: alarmTopicArn }),
    POWERTOOLS_SERVICE_NAME: SERVICE,
    POWERTOOLS_METRICS_NAMESPACE: NAMESPACE,
  };
  const common = { settings, resources, environment, databaseUrl };

  const reader = createReader(common);
  const consumer = createConsumer({ ...common, work });
  const control = createControl(common);
  const status = createStatus(common);

  const alarms = createAlarms({
    topicArn: alarmTopicArn,
    work,
    deadLetters,
    reader,
    consumer,
    maxConcurrent: settings.config.settings.maxConcurrent,
  });
  const dashboard = createDashboard({ work, deadLetters, reader, consumer, control, alarms });
  createTestEvents({ control });

  const where = describeAlarmTopic(alarmTopic);
  if (alarmTopic.kind === "nowhere") console.warn(`Alarms go ${where}.`);
  return {
    control: control.name,
    status: status.name,
    statusUrl: status.url,
    dashboard: dashboard.dashboardName,
    alarms: where,
  };
}
