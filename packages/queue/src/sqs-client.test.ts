import { createServer, type IncomingHttpHeaders } from "node:http";
import { GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import { expect, test, vi } from "vitest";
import { createSqsClient } from "./sqs-client.ts";

test("issue 19.3: a stand-in is sent no headers that only AWS reads, and a client for AWS keeps them", async () => {
  const agents: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    agents.push(request.headers["user-agent"]);
    response.setHeader("content-type", "application/x-amz-json-1.0");
    response.end('{"QueueUrl":"http://127.0.0.1/q"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  const client = createSqsClient({ endpoint: `http://127.0.0.1:${address.port}` });
  expect(await client.send(new GetQueueUrlCommand({ QueueName: "q" }))).toMatchObject({
    QueueUrl: "http://127.0.0.1/q",
  });
  client.destroy();
  server.closeAllConnections();
  server.close();
  expect(agents).toEqual([undefined]);

  const steps = (of: { middlewareStack: { identify(): string[] } }) => of.middlewareStack.identify().join("\n");
  const ofAws = createSqsClient({ endpoint: null });
  expect(steps(ofAws)).toContain("getUserAgentMiddleware");
  expect(steps(ofAws)).not.toContain("loggerMiddleware");
  expect(steps(client)).not.toContain("loggerMiddleware");
});

test("issue 19.3: a request to a stand-in says who sends it, without a hash of its body, and one to AWS is signed", async () => {
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    headers.push(request.headers);
    response.setHeader("content-type", "application/x-amz-json-1.0");
    response.end('{"QueueUrl":"http://127.0.0.1/q"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  const endpoint = `http://127.0.0.1:${address.port}`;
  vi.stubEnv("AWS_ENDPOINT_URL_SQS", endpoint);
  vi.stubEnv("AWS_REGION", "eu-west-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "theirs");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "x");
  for (const client of [createSqsClient({ endpoint }), createSqsClient({ endpoint: null })]) {
    await client.send(new GetQueueUrlCommand({ QueueName: "q" }));
    client.destroy();
  }
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();

  const [standIn, aws] = headers;
  const scope =
    /^AWS4-HMAC-SHA256 Credential=standin\/\d{8}\/us-east-1\/sqs\/aws4_request, SignedHeaders=\S+, Signature=none$/;
  expect(standIn?.authorization).toMatch(scope);
  expect(standIn?.["x-amz-date"]).toMatch(/^\d{8}T\d{6}Z$/);
  expect(standIn).not.toHaveProperty("x-amz-content-sha256");
  expect(aws?.authorization).toMatch(/Credential=theirs\/\d{8}\/eu-west-1\/sqs\/.*Signature=[0-9a-f]{64}$/);
  expect(aws?.["x-amz-content-sha256"]).toMatch(/^[0-9a-f]{64}$/);
});
