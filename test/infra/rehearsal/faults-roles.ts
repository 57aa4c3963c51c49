/** Faults in roles and their policies. */
import { fault, set, type Fault } from "./fault.ts";
import { THE_MODEL } from "./rehearse.ts";

const POLICY = ["ReaderRole", "inlinePolicies", 0, "policy"] as const;

function policyOf(...statements: readonly object[]): string {
  return JSON.stringify({ Statement: statements });
}

const ALLOWED = { effect: "Allow", actions: ["xray:PutTraceSegments"], resources: ["*"] };
const FAR_TOO_LARGE = policyOf(
  ...Array.from({ length: 100 }, () => ({
    ...ALLOWED,
    resources: [`arn:aws:sqs:eu-central-1:123456789012:${"q".repeat(80)}`],
  })),
);

export const ROLE_FAULTS: readonly Fault[] = [
  set(
    "a role's inline policies have 10,240 characters at most, white space apart",
    "issue 18.1: 100 statements",
    "ReaderRole",
    POLICY,
    FAR_TOO_LARGE,
  ),
  set(
    "who may assume a role takes 2,048 characters at most",
    "100 services",
    "characters",
    ["ReaderRole", "assumeRolePolicy", "Statement", 0, "Principal", "Service"],
    Array.from({ length: 100 }, (_, index) => `service${index}.amazonaws.com`),
  ),
  set(
    "a role has ten managed policies at most",
    "eleven",
    "more than 10",
    ["ReaderRole", "managedPolicyArns"],
    Array.from({ length: 11 }, (_, index) => `arn:aws:iam::aws:policy/P${index}`),
  ),
  set(
    "a managed policy is named by its ARN",
    "by its name",
    "ReadOnlyAccess",
    ["ReaderRole", "managedPolicyArns"],
    ["ReadOnlyAccess-of-everything"],
  ),
  set("a policy is written in IAM's grammar", "no JSON", "no JSON", POLICY, "{"),
  set(
    "a policy is written in IAM's grammar",
    "an effect",
    "the effect allow",
    POLICY,
    policyOf({ ...ALLOWED, effect: "allow" }),
  ),
  set(
    "a policy is written in IAM's grammar",
    "no resource",
    "takes Resource",
    POLICY,
    policyOf({ ...ALLOWED, resources: undefined }),
  ),
  set(
    "a policy is written in IAM's grammar",
    "a Sid with a blank",
    "the Sid",
    POLICY,
    policyOf({ ...ALLOWED, sid: "to trace" }),
  ),
  set(
    "a policy is written in IAM's grammar",
    "a principal",
    "names no principal",
    POLICY,
    policyOf({ ...ALLOWED, Principal: "*" }),
  ),
  set(
    "a policy is written in IAM's grammar",
    "a version",
    "version 2012",
    POLICY,
    JSON.stringify({ Version: "2012", Statement: [ALLOWED] }),
  ),
  set(
    "who may assume a role is written in IAM's grammar",
    "nobody",
    "names no principal",
    ["ReaderRole", "assumeRolePolicy", "Statement", 0, "Principal"],
    undefined,
  ),
  fault("an action is one that exists", "issue 18.1: a misspelt one", "sqs:SendMesage", (it) =>
    it.replace("ReaderRole", "sqs:SendMessage", "sqs:SendMesage"),
  ),
  fault("an action is one that exists", "of a service that does not", "sqss:SendMessage", (it) =>
    it.replace("ReaderRole", "sqs:SendMessage", "sqss:SendMessage"),
  ),
  set(
    "an action is one that exists",
    "a wildcard that means nothing",
    "dynamodb:Scans*",
    POLICY,
    policyOf({ ...ALLOWED, actions: ["dynamodb:Scans*"] }),
  ),
  set("a resource is an ARN or *", "a name", "batches", POLICY, policyOf({ ...ALLOWED, resources: ["batches"] })),
  fault("an action is allowed on a resource that it can have", "sending to a table", "sqs:SendMessage on", (it) =>
    it.replace(
      "ReaderRole",
      "arn:aws:sqs:eu-central-1:123456789012:firehose-backfill-production-BatchesQueue",
      "arn:aws:dynamodb:eu-central-1:123456789012:table/x",
    ),
  ),
  set(
    "an action is allowed on a resource that it can have",
    "tracing, which knows none",
    "xray:PutTraceSegments on",
    POLICY,
    policyOf({ ...ALLOWED, resources: ["arn:aws:xray:eu-central-1:123456789012:group/a/b"] }),
  ),
  fault("a condition's test and key are ones that its actions know", "a key", "dynamodb:LeadingKey", (it) =>
    it.replace("ReaderRole", "dynamodb:LeadingKeys", "dynamodb:LeadingKey"),
  ),
  fault("a condition's test and key are ones that its actions know", "a test", "StringLikes", (it) =>
    it.replace("ReaderRole", "ForAllValues:StringLike", "ForAllValues:StringLikes"),
  ),
  set(
    THE_MODEL,
    "issue 18.1: a role's name of 65 characters",
    "64 is the most",
    ["ReaderRole", "name"],
    "r".repeat(65),
  ),
  set(THE_MODEL, "a role's session", "43200 is the most", ["ReaderRole", "maxSessionDuration"], 86_400),
];
