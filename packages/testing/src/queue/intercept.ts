/** Lets a test intercept the calls between a client of the SDK and its server. */
import type { SendMessageBatchRequest, ServiceInputTypes, SQSClient } from "@aws-sdk/client-sqs";

export interface Call {
  /** `SendMessageBatchCommand`, ... */
  readonly name: string;
  readonly input: ServiceInputTypes;
}

export function isSendBatch(call: Call): call is Call & { readonly input: SendMessageBatchRequest } {
  return call.name === "SendMessageBatchCommand";
}

/** `answer` replaces the server, or calls it by `next(input)`. The caller gets what it returns. */
export function intercept(
  client: SQSClient,
  answer: (call: Call, next: (input: ServiceInputTypes) => Promise<object>) => Promise<object>,
): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      let response: unknown;
      const output = await answer({ name: String(context["commandName"]), input: args.input }, async (input) => {
        const result = await next({ ...args, input });
        response = result.response;
        return result.output;
      });
      return { output: { $metadata: {}, ...output }, response };
    },
    { step: "initialize", name: "intercept" },
  );
}
