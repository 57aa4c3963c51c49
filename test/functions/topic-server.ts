/** SNS as far as it is used here: takes a Publish, remembers it, answers. */
import { createServer } from "node:http";

export interface TopicServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly published: readonly { readonly subject: string; readonly message: string }[];
}

const ANSWER =
  '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>';

export async function startTopicServer(): Promise<TopicServer> {
  const published: { subject: string; message: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => void (body += text));
    request.on("end", () => {
      const form = new URLSearchParams(body);
      published.push({ subject: form.get("Subject") ?? "", message: form.get("Message") ?? "" });
      response.writeHead(200, { "content-type": "text/xml" }).end(ANSWER);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    published,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
