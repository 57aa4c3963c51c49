/** Systems Manager: what PutParameter refuses beyond its model. */
import { textOf } from "../call.ts";
import { rule, unless, type Rule } from "./rule.ts";

const MOST_CHARACTERS = 4096;

export const PARAMETER_RULES: readonly Rule[] = [
  rule("a parameter's name is a path of letters, digits, ., - and _", "ssm.PutParameter", ({ Name: name }) =>
    unless(/^(\/(?!aws|ssm)[\w.-]+)+$/i.test(textOf(name)), `"${textOf(name)}"`),
  ),
  rule("a standard parameter holds 4,096 characters at most", "ssm.PutParameter", ({ Tier: tier, Value: value }) =>
    unless(
      tier === "Advanced" || textOf(value).length <= MOST_CHARACTERS,
      `${textOf(value).length} of ${MOST_CHARACTERS}`,
    ),
  ),
];
