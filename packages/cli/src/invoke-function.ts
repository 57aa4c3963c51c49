/** Calls a Lambda function, signed with the caller's own credentials. Only this module uses the SDK's Lambda client. */
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { describeError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { CommandError } from "./errors.ts";

export type InvokeFunction = (name: string, event: unknown) => Promise<unknown>;

/** The control function may take its whole minute. */
const REQUEST_TIMEOUT_MS = 70_000;
const CONNECT_TIMEOUT_MS = 5_000;
const MAX_SHOWN = 500;

/** The SDK finds region and credentials itself (AWS_REGION, AWS_PROFILE, keys, SSO). */
export function openInvoker(): InvokeFunction & Disposable {
  const client = new LambdaClient({
    // If the answer to a control event is late, the event must not be sent twice.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
  });
  const invoke: InvokeFunction = async (name, event) => {
    const command = new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)) });
    let answer;
    try {
      answer = await client.send(command);
    } catch (error) {
      throw new CommandError(whyNot(name, error), { cause: error });
    }
    const text = Buffer.from(answer.Payload ?? []).toString("utf8");
    if (answer.FunctionError !== undefined)
      throw new CommandError(`function ${name} failed (${answer.FunctionError}): ${escapeForLog(text, MAX_SHOWN)}`);
    return parse(name, text);
  };
  return Object.assign(invoke, { [Symbol.dispose]: () => client.destroy() });
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandError(`function ${name} answered something that is not JSON: ${escapeForLog(text, MAX_SHOWN)}`, {
      cause: error,
    });
  }
}

function whyNot(name: string, error: unknown): string {
  const what = error instanceof Error ? error.name : "";
  switch (what) {
    case "ResourceNotFoundException":
      return `there is no function ${name} in this account and region (AWS_REGION, AWS_PROFILE)`;
    case "AccessDeniedException":
      return `these credentials may not call ${name}: they need lambda:InvokeFunction on it`;
    case "CredentialsProviderError":
      return `no AWS credentials were found: set AWS_PROFILE, or keys in the environment`;
    default:
      return `function ${name} cannot be called: ${describeError(error)}`;
  }
}
