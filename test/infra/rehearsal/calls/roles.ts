/** Roles and their policies, as documents that IAM reads. */
import { call, fieldsOf, listOf, parsed, upperFields, type Call, type Fields, textOf } from "../call.ts";
import type { Registered } from "../../stack.ts";

export function roleCalls(resource: Registered): Call[] {
  const { name, assumeRolePolicy, inlinePolicies, managedPolicyArns, ...rest } = resource.inputs;
  return [
    call(resource, "iam.CreateRole", {
      RoleName: name,
      AssumeRolePolicyDocument: documentOf(assumeRolePolicy),
      Path: "/",
      MaxSessionDuration: 3600,
      ...upperFields(rest),
    }),
    ...listOf(inlinePolicies).map((it) => {
      const { name: policyName, policy, ...others } = fieldsOf(it);
      return call(resource, "iam.PutRolePolicy", {
        RoleName: name,
        PolicyName: policyName,
        PolicyDocument: documentOf(policy),
        ...upperFields(others),
      });
    }),
    ...listOf(managedPolicyArns).map((arn) =>
      call(resource, "iam.AttachRolePolicy", { RoleName: name, PolicyArn: arn }),
    ),
  ];
}

/**
 * The mock of the provider's policy document answers with its own input, statement by statement, so that the checks can
 * read it. The real one answers with IAM's own grammar; that translation is made here. What is in IAM's grammar already
 * goes on unchanged, and so does what is no document at all.
 */
function documentOf(policy: unknown): string {
  const document = fieldsOf(parsed(policy));
  const statements = document["Statement"];
  if (!Array.isArray(statements)) return typeof policy === "string" ? policy : JSON.stringify(policy);
  return JSON.stringify({ Version: "2012-10-17", ...document, Statement: statements.map(statementOf) });
}

function statementOf(statement: unknown): Fields {
  const fields = fieldsOf(statement);
  const { sid, effect, actions, notActions, resources, notResources, principals, conditions, ...rest } = fields;
  return {
    ...(sid === undefined ? {} : { Sid: sid }),
    ...(actions === undefined ? {} : { Effect: effect ?? "Allow", Action: oneOrMany(actions) }),
    ...(notActions === undefined ? {} : { Effect: effect ?? "Allow", NotAction: oneOrMany(notActions) }),
    ...(resources === undefined ? {} : { Resource: oneOrMany(resources) }),
    ...(notResources === undefined ? {} : { NotResource: oneOrMany(notResources) }),
    ...(principals === undefined ? {} : { Principal: principalsOf(listOf(principals)) }),
    ...(conditions === undefined ? {} : { Condition: conditionsOf(listOf(conditions)) }),
    ...rest,
  };
}

function principalsOf(principals: readonly unknown[]): Fields {
  const all: Record<string, unknown> = {};
  for (const it of principals) {
    const { type, identifiers } = fieldsOf(it);
    all[textOf(type)] = oneOrMany(identifiers);
  }
  return all;
}

function conditionsOf(conditions: readonly unknown[]): Fields {
  const all: Record<string, Record<string, unknown>> = {};
  for (const it of conditions) {
    const { test, variable, values } = fieldsOf(it);
    (all[textOf(test)] ??= {})[textOf(variable)] = oneOrMany(values);
  }
  return all;
}

function oneOrMany(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}
