import { createServer } from "node:http";
import { GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";
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
