/** Functions, what belongs to them, and the schedule that invokes one. */
import { call, fieldsOf, upperFields, type Call } from "../call.ts";
import type { Registered } from "../../stack.ts";

export function functionCalls(resource: Registered): Call[] {
  const { name, s3Bucket, s3Key, environment, reservedConcurrentExecutions, ...rest } = resource.inputs;
  const variables = fieldsOf(environment)["variables"];
  const create = call(resource, "lambda.CreateFunction", {
    FunctionName: name,
    Code: { S3Bucket: s3Bucket, S3Key: s3Key },
    ...(variables === undefined ? {} : { Environment: { Variables: variables } }),
    // The provider's own defaults.
    MemorySize: 128,
    Timeout: 3,
    PackageType: "Zip",
    ...upperFields(rest),
  });
  if (reservedConcurrentExecutions === undefined || reservedConcurrentExecutions === -1) return [create];
  const reserve = { FunctionName: name, ReservedConcurrentExecutions: reservedConcurrentExecutions };
  return [create, call(resource, "lambda.PutFunctionConcurrency", reserve)];
}

export function eventInvokeConfigCalls(resource: Registered): Call[] {
  return [call(resource, "lambda.PutFunctionEventInvokeConfig", upperFields(resource.inputs))];
}

export function functionUrlCalls(resource: Registered): Call[] {
  const { authorizationType, ...rest } = resource.inputs;
  return [
    call(resource, "lambda.CreateFunctionUrlConfig", {
      AuthType: authorizationType,
      InvokeMode: "BUFFERED",
      ...upperFields(rest),
    }),
  ];
}

export function eventSourceMappingCalls(resource: Registered): Call[] {
  return [
    call(resource, "lambda.CreateEventSourceMapping", {
      BatchSize: 10,
      Enabled: true,
      ...upperFields(resource.inputs),
    }),
  ];
}

export function scheduleCalls(resource: Registered): Call[] {
  const { target, ...rest } = resource.inputs;
  return [
    call(resource, "scheduler.CreateSchedule", {
      GroupName: "default",
      ScheduleExpressionTimezone: "UTC",
      State: "ENABLED",
      ...upperFields(rest),
      Target: upperFields({
        // The provider's own default, which SST's component would leave.
        retryPolicy: { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 },
        ...fieldsOf(target),
      }),
    }),
  ];
}

/** The archive itself is not looked at: `npm run test:lambda` runs what is in it. */
export function bucketObjectCalls(resource: Registered): Call[] {
  const { source, ...rest } = resource.inputs;
  return [call(resource, "s3.PutObject", { ...upperFields(rest), Body: source })];
}
