/**
 * A function's policy, held at run time: its calls go through a proxy that knows the statements that the deploy would
 * give it, and answers what none of them allows as IAM would. The statements are infra's own; what is made of them here is
 * as much of IAM as they use: exact actions and resources, and patterns of leading keys.
 */
import type { FunctionName } from "../../../scripts/bundle-functions.ts";
import { type AwsCall, type AwsProxy, type ServiceName, startAwsProxy } from "../../support/aws-proxy.ts";

export interface Statement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: readonly {
    readonly test: string;
    readonly variable: string;
    readonly values: readonly string[];
  }[];
}

/** Of one stage: what infra hands to `permissionsOf`. */
export interface StageArns {
  readonly tableArn: string;
  readonly workArn: string;
  readonly deadLettersArn: string;
  readonly alarmTopicArn: string | null;
}

const ACCOUNT = "us-east-1:000000000000";

export const arnOf = {
  table: (name: string) => `arn:aws:dynamodb:${ACCOUNT}:table/${name}`,
  queue: (name: string) => `arn:aws:sqs:${ACCOUNT}:${name}`,
  topic: (name: string) => `arn:aws:sns:${ACCOUNT}:${name}`,
};

/** Not a plain import: the types of infra are SST's, which this place does not have. */
export async function statementsOf(role: FunctionName, on: StageArns): Promise<readonly Statement[]> {
  const infra: { permissionsOf(role: FunctionName, on: StageArns): readonly Statement[] } = await import(
    new URL("../../../infra/permissions.ts", import.meta.url).href
  );
  return infra.permissionsOf(role, on);
}

/** A proxy for one function. `denied` is told of each call that no statement allows. */
export async function startPolicyProxy(options: {
  readonly role: FunctionName;
  readonly on: StageArns;
  readonly targetOf: (service: ServiceName) => string;
  readonly denied: (sentence: string) => void;
  /** Is told of each call that is made, allowed or not. */
  readonly called?: (call: AwsCall) => void;
}): Promise<AwsProxy> {
  const statements = await statementsOf(options.role, options.on);
  return startAwsProxy({
    targetOf: options.targetOf,
    refuse: (call) => {
      options.called?.(call);
      const access = accessOf(call);
      if (statements.some((statement) => allows(statement, access))) return null;
      const keys = access.leadingKeys.length === 0 ? "" : ` with the key ${access.leadingKeys.join(", ")}`;
      const sentence = `${options.role} is not authorized to perform ${access.action} on ${access.resource}${keys}`;
      options.denied(sentence);
      return sentence;
    },
  });
}

/** One call, as a policy sees it. */
export interface Access {
  readonly action: string;
  readonly resource: string;
  readonly leadingKeys: readonly string[];
}

export function allows({ actions, resources, conditions = [] }: Statement, access: Access): boolean {
  if (!actions.includes(access.action) || !resources.includes(access.resource)) return false;
  return conditions.every(({ test, variable, values }) => {
    if (test !== "ForAllValues:StringLike" || variable !== "dynamodb:LeadingKeys")
      throw new Error(`a condition that nobody holds here: ${test} of ${variable}`);
    const { leadingKeys } = access;
    return leadingKeys.length > 0 && leadingKeys.every((key) => values.some((pattern) => isLike(key, pattern)));
  });
}

function isLike(text: string, pattern: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(text);
}

/** @throws Error for a call that no policy of ours has a word for */
export function accessOf({ service, action, request }: AwsCall): Access {
  switch (service) {
    case "dynamodb":
      return {
        action: `dynamodb:${action}`,
        resource: arnOf.table(tableOf(request)),
        leadingKeys: leadingKeysOf(request),
      };
    case "sqs": {
      const { SourceArn: sourceArn, QueueUrl: queueUrl } = request;
      return {
        // The right to do one is the right to do ten at once.
        action: `sqs:${action.replace(/Batch$/, "")}`,
        resource: typeof sourceArn === "string" ? sourceArn : arnOf.queue(String(queueUrl).split("/").at(-1) ?? ""),
        leadingKeys: [],
      };
    }
    case "sns":
      return { action: `sns:${action}`, resource: String(request["TopicArn"]), leadingKeys: [] };
    default: {
      const unreachable: never = service;
      throw new Error(`no policy knows ${String(unreachable)}`);
    }
  }
}

interface Keyed {
  readonly TableName?: string;
  readonly RequestItems?: Readonly<
    Record<string, { readonly Keys: readonly { readonly pk: { readonly S: string } }[] }>
  >;
  readonly Key?: { readonly pk?: { readonly S?: string } };
  readonly Item?: { readonly pk?: { readonly S?: string } };
  readonly ExpressionAttributeValues?: Readonly<Record<string, { readonly S?: string }>>;
}

/** A request for several items names its tables as keys. */
function tableOf({ TableName: table, RequestItems: tables }: Keyed): string {
  return table ?? Object.keys(tables ?? {}).join(" and ");
}

/** The partition key of an item, of each of several, or of a query (which the store names `:pk`). */
function leadingKeysOf(request: Keyed): readonly string[] {
  const { Key: key, Item: item, RequestItems: tables, ExpressionAttributeValues: values } = request;
  const many = Object.values(tables ?? {}).flatMap(({ Keys: keys }) => keys.map(({ pk }) => pk.S));
  return [(key ?? item)?.pk?.S ?? values?.[":pk"]?.S ?? null, ...many].filter((it) => it !== null);
}
