import { connect } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { isTransient, QueueError } from "./queue-error.ts";

const sdkError = (name: string, fields: object) => Object.assign(new Error("no"), { name, ...fields });

test.each<[boolean, unknown]>([
  [true, sdkError("InternalError", { $fault: "server" })],
  [true, sdkError("Anything", { $fault: "client", $metadata: { httpStatusCode: 429 } })],
  [true, sdkError("RequestThrottled", { $fault: "client" })],
  [true, sdkError("OverLimit", { $fault: "client" })],
  [true, sdkError("TimeoutError", {})],
  [true, sdkError("Error", { code: "ENOTFOUND", syscall: "getaddrinfo" })],
  // For a name with two addresses that both refuse, Node's error has no syscall.
  [true, Object.assign(new AggregateError([]), { code: "ECONNREFUSED" })],
  [false, sdkError("AccessDeniedException", { $fault: "client", $metadata: { httpStatusCode: 403 } })],
  [false, sdkError("QueueDoesNotExist", { $fault: "client", $metadata: {} })],
  [false, sdkError("CredentialsProviderError", {})],
  [false, sdkError("TypeError", { code: "ERR_INVALID_ARG_TYPE" })],
  [false, "a string"],
])("worth another try: %s, %s", (isWorth, error) => {
  expect(isTransient(error)).toBe(isWorth);
  expect(new QueueError("ReceiveMessage", error).isRetryable()).toBe(isWorth);
});

test("a refused connection is worth another try", async () => {
  const [error] = await once(connect({ host: "127.0.0.1", port: 9 }), "error");
  expect(isTransient(error)).toBe(true);
  expect(new QueueError("ReceiveMessage", error).message).toMatch(/^ReceiveMessage: .*ECONNREFUSED/);
});
