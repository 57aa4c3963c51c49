/** Names that are taken: by another resource of the same deploy. The account's own are not known here. */
import { textOf } from "../call.ts";
import type { Rule } from "./rule.ts";

/** What each kind of resource is told apart by. An alarm or a dashboard of the same name would silently replace the first. */
const NAMES: Readonly<Record<string, string>> = {
  "sqs.CreateQueue": "QueueName",
  "dynamodb.CreateTable": "TableName",
  "iam.CreateRole": "RoleName",
  "lambda.CreateFunction": "FunctionName",
  "logs.CreateLogGroup": "logGroupName",
  "scheduler.CreateSchedule": "Name",
  "cloudwatch.PutMetricAlarm": "AlarmName",
  "cloudwatch.PutDashboard": "DashboardName",
  "sns.CreateTopic": "Name",
  "schemas.CreateSchema": "SchemaName",
  "ssm.PutParameter": "Name",
};

export const NAME_RULES: readonly Rule[] = [
  {
    name: "no two resources of a kind have one name",
    run: (calls) => {
      const names = calls.flatMap(({ service, operation, input }) => {
        const member = NAMES[`${service}.${operation}`];
        return member === undefined ? [] : [`${service}.${operation} of ${textOf(input[member])}`];
      });
      return names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name}: twice`);
    },
  },
];
