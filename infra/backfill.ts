/** Creates all resources of one stage. The order follows the dependencies: a resource exists before a function names it. */
import { createAlarmTopic, describeAlarmTopic, topicArnOf } from "./alarm-topic.ts";
import { createAlarms } from "./alarms.ts";
import { createConsumer } from "./consumer.ts";
import { createControl } from "./control.ts";
import { createDashboard } from "./dashboard.ts";
import { keepSettings } from "./keep-settings.ts";
import { NAMESPACE, SERVICE } from "./metrics.ts";
import { createQueues } from "./queue.ts";
import { createReader } from "./reader.ts";
import { createSecrets } from "./secrets.ts";
import { PRODUCTION, readSettings } from "./settings.ts";
import { createStatus } from "./status.ts";
import { createTable } from "./table.ts";
import { createTestEvents, hasTestEvents } from "./test-events.ts";

/** @throws ConfigError if a setting is wrong, or if one of the last deploy is missing, before anything is created. */
export async function deployBackfill(): Promise<Record<string, $util.Input<string>>> {
  const settings = readSettings(process.env, { stage: $app.stage });
  const isProduction = $app.stage === PRODUCTION;
  await keepSettings(settings, process.env);
  const { region } = await aws.getRegion({});

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
    databaseUserArn: settings.config.settings.databaseUserArn,
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
  const isWanted = settings.config.settings.dashboard;
  const dashboard = createDashboard({ isWanted, work, deadLetters, reader, consumer, control, alarms });
  if (hasTestEvents(region)) createTestEvents({ control });
  else console.warn(`The console's Test menu has no ready-made events in ${region}: EventBridge Schemas is not there.`);

  const where = describeAlarmTopic(alarmTopic);
  if (alarmTopic.kind === "nowhere") console.warn(`Alarms go ${where}.`);
  return {
    control: control.name,
    status: status.name,
    statusUrl: status.url,
    dashboard: dashboard === null ? "none, as BACKFILL_DASHBOARD=false asks for" : dashboard.dashboardName,
    alarms: where,
  };
}
