/** What AWS would answer: names, addresses and policies that look like the real ones, so that the checks can follow them. */
import type { runtime } from "@pulumi/pulumi";
import type { SynthInput } from "./stack.ts";

export const REGION = "eu-central-1";
export const ACCOUNT = "123456789012";

export function stateOf(args: runtime.MockResourceArgs): { id: string; state: Record<string, unknown> } {
  const inputs = args.inputs as Record<string, unknown>;
  const name = typeof inputs["name"] === "string" ? inputs["name"] : args.name;
  const arn = (service: string, rest: string): string => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
  const id = args.id || `${args.name}-id`;
  switch (args.type) {
    case "aws:sqs/queue:Queue": {
      const url = `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${name}`;
      return { id: url, state: { ...inputs, name, url, arn: arn("sqs", name) } };
    }
    case "aws:dynamodb/table:Table":
      return { id: name, state: { ...inputs, name, arn: arn("dynamodb", `table/${name}`) } };
    case "aws:lambda/function:Function":
      return { id: name, state: { ...inputs, name, arn: arn("lambda", `function:${name}`) } };
    case "aws:lambda/functionUrl:FunctionUrl":
      return {
        id,
        state: { ...inputs, functionUrl: `https://${args.name.toLowerCase()}.lambda-url.${REGION}.on.aws/` },
      };
    case "aws:cloudwatch/logGroup:LogGroup":
      return { id: name, state: { ...inputs, name, arn: arn("logs", `log-group:${name}`) } };
    case "aws:cloudwatch/metricAlarm:MetricAlarm":
      return { id: name, state: { ...inputs, name, arn: arn("cloudwatch", `alarm:${name}`) } };
    case "aws:sns/topic:Topic":
      return { id, state: { ...inputs, name, arn: arn("sns", name) } };
    case "aws:iam/role:Role":
      return { id: name, state: { ...inputs, name, arn: `arn:aws:iam::${ACCOUNT}:role/${name}` } };
    case "random:index/randomBytes:RandomBytes":
      return { id, state: { ...inputs, base64: "c3ludGhlc2l6ZWQgZW5jcnlwdGlvbiBrZXksIDMyIGI=" } };
    default:
      return { id, state: { ...inputs, name } };
  }
}

export function answerCall(args: runtime.MockCallArgs, input: SynthInput): Record<string, unknown> {
  switch (args.token) {
    case "aws:index/getPartition:getPartition":
      return { partition: "aws", dnsSuffix: "amazonaws.com" };
    case "aws:index/getRegion:getRegion":
      return { region: input.region, name: input.region };
    case "aws:index/getCallerIdentity:getCallerIdentity":
      return { accountId: ACCOUNT };
    case "aws:iam/getPolicyDocument:getPolicyDocument":
      return { ...args.inputs, json: JSON.stringify({ Statement: args.inputs["statements"] ?? [] }) };
    case "aws:ssm/getParametersByPath:getParametersByPath": {
      const kept = input.keptSettings === null ? [] : [JSON.stringify(input.keptSettings)];
      return { ...args.inputs, names: kept.map(() => `${args.inputs["path"]}/settings`), values: kept };
    }
    case "aws:cloudcontrol/getResource:getResource":
      if (!input.hasRegistry) throw new Error("ResourceNotFoundException");
      return { ...args.inputs, properties: "{}" };
    default:
      throw new Error(`the program asked AWS for ${args.token}, which no mock answers`);
  }
}
