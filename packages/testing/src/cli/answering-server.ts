/** A process that a command can find in a data folder: with a real claim, and a real HTTP server whose answers a test provides. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { claimDataDir } from "@firehose-backfill/embedded/data-dir";

export interface Asked {
  readonly route: string;
  readonly contentType: string | undefined;
  readonly body: unknown;
}

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly Asked[];
}

export interface Answer {
  readonly status?: number;
  readonly body: unknown;
}

export async function testServer(dataDir: string, answer: (asked: Asked) => Answer): Promise<TestServer> {
  const claim = await claimDataDir(dataDir);
  const asked: Asked[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const question = await read(request);
    asked.push(question);
    const { status = 200, body } = answer(question);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => void respond(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  await claim.announce(address.port);
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await claim[Symbol.asyncDispose]();
    },
  };
}

async function read(request: IncomingMessage): Promise<Asked> {
  const body = await text(request);
  return {
    route: `${request.method} ${request.url}`,
    contentType: request.headers["content-type"],
    body: body === "" ? null : JSON.parse(body),
  };
}
