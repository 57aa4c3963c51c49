/**
 * Names that people type: `firehose-backfill status --function NAME`, the console's search field, log groups.
 * They are fixed, because SST's own end in random letters. Everything else keeps the name that SST gives it.
 */
export const FUNCTION_ROLES = ["reader", "consumer", "control", "status"] as const;
export type FunctionRole = (typeof FUNCTION_ROLES)[number];

/** Lambda's limit. The log group and the test events' schema derive from the name and allow more. */
const LONGEST_FUNCTION_NAME = 64;

/** `firehose-backfill-production-reader`. @throws when the stage's name leaves no room. */
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
