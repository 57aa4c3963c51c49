/** A server on loopback that answers as a test says, and records the requests. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ResolveName } from "@firehose-backfill/repos/http/guarded-lookup";

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  /** `http://localhost:PORT`. */
  readonly origin: string;
  /** Path and query of each request. */
  readonly asked: string[];
  /** Connections that were opened. */
  readonly connections: () => number;
}

export async function startServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestServer> {
  const asked: string[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    answer(request, response);
  });
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = portOf(server.address());
  return {
    port,
    origin: `http://localhost:${port}`,
    asked,
    connections: () => connections,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function portOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === "string") throw new TypeError("the server has no port");
  return address;
}

/** `localhost` and names below it are this machine. */
export const loopbackNames: ResolveName = async () => [{ address: "127.0.0.1", family: 4 }];
