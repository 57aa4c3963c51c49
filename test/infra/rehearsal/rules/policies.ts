/** Policies as IAM reads them: their statements, and whether they allow something. Conditions are not judged. */
import { callsOf, fieldsOf, isFields, listOf, parsed, type Call, type Fields, textOf } from "../call.ts";
import { globMatches } from "../iam-data.ts";

export const SOURCE_FUNCTION_KEY = "lambda:SourceFunctionArn";

export function statementsOf(document: unknown): Fields[] {
  const { Statement: statements } = fieldsOf(parsed(document));
  return (isFields(statements) ? [statements] : listOf(statements)).map(fieldsOf);
}

/** IAM takes a list of one without its brackets. */
export function many(value: unknown): string[] {
  return (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(textOf);
}

/** `input` of a CreateRole call. */
export function mayBeAssumedBy(input: Fields, service: string): boolean {
  return statementsOf(input["AssumeRolePolicyDocument"]).some(
    (statement) =>
      statement["Effect"] === "Allow" &&
      many(statement["Action"]).includes("sts:AssumeRole") &&
      many(fieldsOf(statement["Principal"])["Service"]).includes(service),
  );
}

/** Does an inline policy of the role allow the action on that resource, to Lambda's service and whoever else has the role? */
export function allows(calls: readonly Call[], role: Call, action: string, resource: string): boolean {
  const statements = callsOf(calls, "iam.PutRolePolicy")
    .filter(({ input }) => input["RoleName"] === role.input["RoleName"])
    .flatMap(({ input }) => statementsOf(input["PolicyDocument"]))
    .filter((it) => !isOfItsOwnCode(it))
    .filter(
      (it) =>
        many(it["Action"]).some((pattern) => globMatches(pattern.toLowerCase(), action.toLowerCase())) &&
        many(it["Resource"]).some((pattern) => globMatches(pattern, resource)),
    );
  return statements.length > 0 && statements.every((it) => it["Effect"] === "Allow");
}

/** Lambda sets this key for what a function's own code calls, and not for what the service does with the role. */
function isOfItsOwnCode(statement: Fields): boolean {
  return Object.values(fieldsOf(statement["Condition"])).some((test) => SOURCE_FUNCTION_KEY in fieldsOf(test));
}
