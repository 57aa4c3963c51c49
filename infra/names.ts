/**
 * Names that people type: in `firehose-backfill status --function NAME`, in the console's search field, for log groups.
 * They are fixed, because SST's own names end in random letters. All other resources keep the name from SST.
 */
export const FUNCTION_ROLES = ["reader", "consumer", "control", "status"] as const;
export type FunctionRole = (typeof FUNCTION_ROLES)[number];

/** Lambda's limit. The names of log group and test events are derived from it and may be longer. */
const LONGEST_FUNCTION_NAME = 64;

/** `firehose-backfill-production-reader`. @throws if the stage's name is too long. */
export function functionName(role: FunctionRole): string {
  const name = stageName(role);
  if (name.length > LONGEST_FUNCTION_NAME) {
    const room = LONGEST_FUNCTION_NAME - (name.length - $app.stage.length);
    throw new Error(
      `The stage name "${$app.stage}" has ${$app.stage.length} characters; ${role} leaves room for ${room}.`,
    );
  }
  return name;
}

export function logGroupName(role: FunctionRole): string {
  return `/aws/lambda/${functionName(role)}`;
}

/** `firehose-backfill-production-dead-letters`, for alarms and the dashboard. */
export function stageName(thing: string): string {
  return `${$app.name}-${$app.stage}-${thing}`;
}
