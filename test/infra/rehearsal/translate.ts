/**
 * The resources of a stage as the API calls that create them. Only the creation: an update sends the same values through
 * other operations. What a resource says beyond what is translated by name goes into the call as it is, so that the
 * service's model refuses it: nothing is left out in silence.
 */
import type { Registered, Stack } from "../stack.ts";
import type { Call, Fields } from "./call.ts";
import * as compute from "./calls/compute.ts";
import { roleCalls } from "./calls/roles.ts";
import * as storage from "./calls/storage.ts";
import * as watching from "./calls/watching.ts";
import { tagged, type StageName } from "./tags.ts";

const TRANSLATIONS: Readonly<Record<string, (resource: Registered) => Call[]>> = {
  "aws:sqs/queue:Queue": storage.queueCalls,
  "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": storage.redriveAllowPolicyCalls,
  "aws:dynamodb/table:Table": storage.tableCalls,
  "aws:iam/role:Role": roleCalls,
  "aws:cloudwatch/logGroup:LogGroup": watching.logGroupCalls,
  "aws:cloudwatch/metricAlarm:MetricAlarm": watching.alarmCalls,
  "aws:cloudwatch/dashboard:Dashboard": watching.dashboardCalls,
  "aws:sns/topic:Topic": watching.topicCalls,
  "aws:sns/topicSubscription:TopicSubscription": watching.subscriptionCalls,
  "aws:schemas/registry:Registry": watching.registryCalls,
  "aws:schemas/schema:Schema": watching.schemaCalls,
  "aws:ssm/parameter:Parameter": watching.parameterCalls,
  "aws:s3/bucketObjectv2:BucketObjectv2": compute.bucketObjectCalls,
  "aws:lambda/function:Function": compute.functionCalls,
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": compute.eventInvokeConfigCalls,
  "aws:lambda/functionUrl:FunctionUrl": compute.functionUrlCalls,
  "aws:lambda/eventSourceMapping:EventSourceMapping": compute.eventSourceMappingCalls,
  "aws:scheduler/schedule:Schedule": compute.scheduleCalls,
};

/** Groups, and what is made on the machine that deploys. */
const NOT_ON_AWS = /^(sst:|pulumi:pulumi:Stack$|random:)/;

/** What the provider keeps to itself; tags are added by tags.ts. */
const NOT_SENT = new Set(["tags", "tagsAll", "region", "skipDestroy", "forceDestroy", "forceDetachPolicies"]);

export const TRANSLATED_TYPES: readonly string[] = Object.keys(TRANSLATIONS);

/** @throws Error when a resource's type is not known here: it has to be added before it can be deployed. */
export function callsFor(stack: Stack): Call[] {
  const name = stageNameOf(stack);
  return stack.resources
    .filter(({ type }) => !NOT_ON_AWS.test(type))
    .flatMap((resource) => {
      const inputs = withoutOwn(resource.inputs);
      const translate = TRANSLATIONS[resource.type];
      if (translate === undefined) {
        throw new Error(`${resource.name} is of type ${resource.type}, for which the rehearsal knows no API call`);
      }
      return translate({ ...resource, inputs }).map((call) => tagged(call, name, resource.inputs["tags"]));
    });
}

function withoutOwn(inputs: Fields): Fields {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !NOT_SENT.has(name)));
}

/** Pulumi's root is named by both: `firehose-backfill-production`. */
function stageNameOf({ app, resources }: Stack): StageName {
  const root = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.name ?? "";
  return { app: app.name, stage: root.slice(app.name.length + 1) };
}
