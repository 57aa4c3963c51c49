/** Log groups, alarms, the dashboard, the topic of alarms, the console's test events and the settings that are kept. */
import { call, fieldsOf, listOf, upperFields, type Call, type Fields } from "../call.ts";
import type { Registered } from "../../stack.ts";

export function logGroupCalls(resource: Registered): Call[] {
  const { name, retentionInDays, ...rest } = resource.inputs;
  const create = call(resource, "logs.CreateLogGroup", { logGroupName: name, ...rest });
  if (retentionInDays === undefined || retentionInDays === 0) return [create];
  return [create, call(resource, "logs.PutRetentionPolicy", { logGroupName: name, retentionInDays })];
}

export function alarmCalls(resource: Registered): Call[] {
  const { name, okActions, dimensions, metricQueries, evaluateLowSampleCountPercentiles, ...rest } = resource.inputs;
  return [
    call(resource, "cloudwatch.PutMetricAlarm", {
      AlarmName: name,
      ActionsEnabled: true,
      TreatMissingData: "missing",
      OKActions: okActions,
      EvaluateLowSampleCountPercentile: evaluateLowSampleCountPercentiles,
      Dimensions: dimensions === undefined ? undefined : dimensionsOf(dimensions),
      Metrics: metricQueries === undefined ? undefined : listOf(metricQueries).map((it) => queryOf(fieldsOf(it))),
      ...upperFields(rest),
    }),
  ];
}

/** `metric` holds what the API keeps in two places: the metric, and how it is drawn together. */
function queryOf(query: Fields): Fields {
  const { metric, ...rest } = query;
  if (metric === undefined) return upperFields(rest);
  const { namespace, metricName, dimensions, ...stat } = fieldsOf(metric);
  return {
    ...upperFields(rest),
    MetricStat: {
      Metric: { Namespace: namespace, MetricName: metricName, Dimensions: dimensionsOf(dimensions) },
      ...upperFields(stat),
    },
    // The provider sends what is not set as false.
    ReturnData: rest["returnData"] ?? false,
  };
}

function dimensionsOf(dimensions: unknown): Fields[] {
  return Object.entries(fieldsOf(dimensions)).map(([name, value]) => ({ Name: name, Value: value }));
}

export function dashboardCalls(resource: Registered): Call[] {
  return [call(resource, "cloudwatch.PutDashboard", upperFields(resource.inputs))];
}

export function topicCalls(resource: Registered): Call[] {
  const { name, fifoTopic, ...rest } = resource.inputs;
  return [
    call(resource, "sns.CreateTopic", {
      Name: name,
      ...(fifoTopic === true ? { Attributes: { FifoTopic: "true" } } : {}),
      ...upperFields(rest),
    }),
  ];
}

export function subscriptionCalls(resource: Registered): Call[] {
  const { topic, ...rest } = resource.inputs;
  return [call(resource, "sns.Subscribe", { TopicArn: topic, ReturnSubscriptionArn: true, ...upperFields(rest) })];
}

/** A registry that is there already is adopted: nothing is created. */
export function registryCalls(resource: Registered): Call[] {
  const { name, ...rest } = resource.inputs;
  const operation = resource.importId === "" ? "CreateRegistry" : "DescribeRegistry";
  return [call(resource, `schemas.${operation}`, { RegistryName: name, ...upperFields(rest) })];
}

export function schemaCalls(resource: Registered): Call[] {
  const { name, ...rest } = resource.inputs;
  return [call(resource, "schemas.CreateSchema", { SchemaName: name, ...upperFields(rest) })];
}

export function parameterCalls(resource: Registered): Call[] {
  // The provider sends Overwrite for an update only.
  return [call(resource, "ssm.PutParameter", { Tier: "Standard", ...upperFields(resource.inputs) })];
}
