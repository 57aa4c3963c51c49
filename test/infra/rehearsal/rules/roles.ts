/** IAM: the grammar of policies, which it refuses, and the names in them, which it takes as they are. */
import { callsOf, fieldsOf, isFields, parsed, type Call, type Fields, textOf } from "../call.ts";
import { actionsLike, globMatches, globsMeet } from "../iam-data.ts";
import { many, SOURCE_FUNCTION_KEY, statementsOf } from "./policies.ts";
import { lengthWithoutSpace, rule, unless, type Rule } from "./rule.ts";

const LARGEST_INLINE = 10_240;
const LARGEST_TRUST = 2048;
const MOST_MANAGED = 10;

const STATEMENT_MEMBERS = new Set([
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
]);
const OPERATOR =
  /^(ForAllValues:|ForAnyValue:)?(String(Not)?(Equals(IgnoreCase)?|Like)|(Numeric|Date)((Not)?Equals|(Less|Greater)Than(Equals)?)|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like))(IfExists)?$|^Null$/;
/** Keys of every service, those that a policy of this kind would use; add what is needed, spelt as AWS does. */
const GLOBAL_KEYS =
  /^aws:(Source(Arn|Account|Ip|Vpc|Vpce|OrgID)|Principal(Arn|Account|OrgID|Tag\/.+)|RequestedRegion|SecureTransport|CalledVia|ViaAWSService|(Request|Resource)Tag\/.+|TagKeys|CurrentTime)$/;
const ARN = /^arn:aws[a-z-]*:[a-z0-9-*]+:[a-z0-9-*]*:(\d{12}|\*|aws|):.+$/;

export const ROLE_RULES: readonly Rule[] = [
  {
    name: "a role's inline policies have 10,240 characters at most, white space apart",
    run: (calls) => {
      const sums = new Map<string, number>();
      for (const { input, of } of callsOf(calls, "iam.PutRolePolicy")) {
        sums.set(of, (sums.get(of) ?? 0) + lengthWithoutSpace(input["PolicyDocument"]));
      }
      return [...sums].flatMap(([of, sum]) => unless(sum <= LARGEST_INLINE, `${of}: ${sum} characters`));
    },
  },
  rule("who may assume a role takes 2,048 characters at most", "iam.CreateRole", (input) => {
    const length = lengthWithoutSpace(input["AssumeRolePolicyDocument"]);
    return unless(length <= LARGEST_TRUST, `${length} characters`);
  }),
  {
    name: "a role has ten managed policies at most",
    run: (calls) => {
      const roles = callsOf(calls, "iam.AttachRolePolicy").map(({ of }) => of);
      return [...new Set(roles)].flatMap((of) =>
        unless(roles.filter((it) => it === of).length <= MOST_MANAGED, `${of}: more than ${MOST_MANAGED}`),
      );
    },
  },
  rule("a managed policy is named by its ARN", "iam.AttachRolePolicy", ({ PolicyArn: arn }) =>
    unless(/^arn:aws[a-z-]*:iam::(aws|\d{12}):policy\/[\w+=,.@/-]+$/.test(textOf(arn)), textOf(arn)),
  ),
  rule("a policy is written in IAM's grammar", "iam.PutRolePolicy", ({ PolicyDocument: document }) => [
    ...grammarOf(document),
    ...statementsOf(document).flatMap((it) => [
      ...unless(hasOne(it, "Resource", "NotResource"), "a statement takes Resource or NotResource"),
      ...unless(!("Principal" in it || "NotPrincipal" in it), "a role's own policy names no principal"),
    ]),
  ]),
  rule(
    "who may assume a role is written in IAM's grammar",
    "iam.CreateRole",
    ({ AssumeRolePolicyDocument: document }) => [
      ...grammarOf(document),
      ...statementsOf(document).flatMap((it) => [
        ...unless("Principal" in it, "a statement names no principal"),
        ...unless(!("Resource" in it || "NotResource" in it), "a statement names a resource"),
      ]),
    ],
  ),
  overPolicies("an action is one that exists", (statement) =>
    [...many(statement["Action"]), ...many(statement["NotAction"])]
      .filter((action) => action !== "*" && actionsLike(action).length === 0)
      .map((action) => `there is no action ${action}`),
  ),
  overPolicies("a resource is an ARN or *", (statement) =>
    [...many(statement["Resource"]), ...many(statement["NotResource"])]
      .filter((arn) => arn !== "*" && !ARN.test(arn))
      .map((arn) => `"${arn}"`),
  ),
  overPolicies("an action is allowed on a resource that it can have", (statement) => {
    const resources = many(statement["Resource"]);
    if (resources.length === 0 || resources.includes("*")) return [];
    return many(statement["Action"])
      .filter((action) => {
        const kinds = actionsLike(action);
        return (
          kinds.length > 0 && !kinds.some(({ arns }) => arns.some((arn) => resources.some((it) => globsMeet(arn, it))))
        );
      })
      .map((action) => `${action} on ${resources.join(", ")}`);
  }),
  overPolicies("a condition's test and key are ones that its actions know", (statement) =>
    Object.entries(fieldsOf(statement["Condition"])).flatMap(([test, keys]) => [
      ...unless(OPERATOR.test(test), `there is no test ${test}`),
      ...Object.keys(fieldsOf(keys)).flatMap((key) => keyProblems(key, many(statement["Action"]))),
    ]),
  ),
];

/** A rule over every statement: of what a role may do, and of who may assume it. */
function overPolicies(name: string, check: (statement: Fields) => readonly string[]): Rule {
  return {
    name,
    run: (calls) =>
      documentsOf(calls).flatMap(({ of, document }) =>
        statementsOf(document)
          .flatMap(check)
          .map((says) => `${of}: ${says}`),
      ),
  };
}

function documentsOf(calls: readonly Call[]): { of: string; document: unknown }[] {
  return [
    ...callsOf(calls, "iam.CreateRole").map(({ of, input }) => ({ of, document: input["AssumeRolePolicyDocument"] })),
    ...callsOf(calls, "iam.PutRolePolicy").map(({ of, input }) => ({ of, document: input["PolicyDocument"] })),
  ];
}

function grammarOf(document: unknown): readonly string[] {
  const policy = parsed(document);
  if (!isFields(policy)) return ["it is no JSON"];
  const statements = statementsOf(document);
  const sids = statements.map(({ Sid: sid }) => sid).filter((sid) => sid !== undefined && sid !== "");
  return [
    ...unless(["2012-10-17", "2008-10-17"].includes(textOf(policy["Version"])), `version ${textOf(policy["Version"])}`),
    ...unless(statements.length > 0, "it has no statement"),
    ...unless(new Set(sids).size === sids.length, "two statements have one Sid"),
    ...sids.flatMap((sid) => unless(/^[A-Za-z0-9]+$/.test(textOf(sid)), `the Sid "${textOf(sid)}"`)),
    ...statements.flatMap((it) => [
      ...Object.keys(it)
        .filter((name) => !STATEMENT_MEMBERS.has(name))
        .map((name) => `a statement has no ${name}`),
      ...unless(["Allow", "Deny"].includes(textOf(it["Effect"])), `the effect ${textOf(it["Effect"])}`),
      ...unless(hasOne(it, "Action", "NotAction"), "a statement takes Action or NotAction"),
      ...many(it["Action"])
        .filter((action) => action !== "*" && !/^[a-z0-9-]+:[\w*?]+$/i.test(action))
        .map((action) => `"${action}" is no action`),
    ]),
  ];
}

function keyProblems(key: string, actions: readonly string[]): readonly string[] {
  // Of every service: Lambda adds it to what a function calls.
  if (key === SOURCE_FUNCTION_KEY) return [];
  if (key.toLowerCase().startsWith("aws:")) return unless(GLOBAL_KEYS.test(key), `the key ${key} is not known`);
  return actions
    .filter((action) => !actionsLike(action).some(({ conditionKeys }) => knows(conditionKeys, key)))
    .map((action) => `${action} does not know the key ${key}`);
}

/** `s3:ExistingObjectTag/${TagKey}` is a family of keys. Case does not matter to IAM. */
function knows(keys: readonly string[], key: string): boolean {
  return keys.some((known) => globMatches(known.replaceAll(/\$\{[^}]*\}/g, "*").toLowerCase(), key.toLowerCase()));
}

function hasOne(statement: Fields, one: string, other: string): boolean {
  return (statement[one] === undefined) !== (statement[other] === undefined);
}
