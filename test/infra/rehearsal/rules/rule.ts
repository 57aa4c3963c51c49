/**
 * A rule says what AWS refuses although the published model lets it pass, or what AWS takes although it cannot work. Each
 * is one sentence; what breaks it is listed with the resource that asked for the call.
 */
import { callsOf, type Call, type Fields, textOf } from "../call.ts";

export interface Rule {
  readonly name: string;
  readonly run: (calls: readonly Call[]) => readonly string[];
}

/** A rule over each call of an operation. `check` says what is wrong, or nothing. */
export function rule(
  name: string,
  operation: string,
  check: (input: Fields, calls: readonly Call[]) => readonly string[],
): Rule {
  return {
    name,
    run: (calls) =>
      callsOf(calls, operation).flatMap(({ input, of }) => check(input, calls).map((says) => `${of}: ${says}`)),
  };
}

export function unless(isSo: boolean, says: string): readonly string[] {
  return isSo ? [] : [says];
}

/** How Lambda and IAM count: characters without white space, which neither of them keeps. */
export function lengthWithoutSpace(text: unknown): number {
  return textOf(text).replaceAll(/\s/g, "").length;
}

/** A whole decimal number within bounds, as a text: SQS's attributes are texts. */
export function wholeNumber(value: unknown, least: number, most: number): boolean {
  return typeof value === "string" && /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most;
}

/** The role of a function or a schedule by its ARN, where this deploy creates it. */
export function roleOf(calls: readonly Call[], arn: unknown): Call | undefined {
  const name = /^arn:aws[^:]*:iam::\d{12}:role\/(?:.*\/)?([^/]+)$/.exec(textOf(arn))?.[1];
  return callsOf(calls, "iam.CreateRole").find(({ input }) => input["RoleName"] === name);
}

/** The last part of an ARN: of `arn:aws:sqs:eu-central-1:123456789012:batches` it is `batches`. */
export function nameInArn(arn: unknown): string {
  return textOf(arn).split(":").at(-1) ?? "";
}
