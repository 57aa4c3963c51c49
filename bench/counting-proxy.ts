/**
 * A proxy on loopback before a service that speaks AWS's JSON protocol: everything goes through as it is, and whoever
 * measures sees each call and its answer. So nothing of the program under measurement counts itself.
 */
import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request as httpRequest, type Server } from "node:http";

export interface Exchange {
  /** `ReceiveMessage`, `UpdateItem`: the last part of X-Amz-Target. */
  readonly action: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly response: Readonly<Record<string, unknown>>;
  readonly status: number;
  /** When the request was complete here, and when its answer was; milliseconds since the epoch, with fractions. */
  readonly askedAtMs: number;
  readonly atMs: number;
}

export interface CountingProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
}

export async function startCountingProxy(options: {
  /** `http://127.0.0.1:PORT` */
  readonly target: string;
  readonly onExchange: (exchange: Exchange) => void;
}): Promise<CountingProxy> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    const forward = async (): Promise<void> => {
      const body = await readAll(incoming);
      const askedAtMs = preciseNow();
      const { method, headers } = incoming;
      const upstream = httpRequest(new URL(incoming.url ?? "/", options.target), { method, headers, agent });
      upstream.end(body);
      const [answer]: IncomingMessage[] = await once(upstream, "response");
      if (answer === undefined) throw new Error("no answer");
      const answered = await readAll(answer);
      const status = answer.statusCode ?? 0;
      const action = String(headers["x-amz-target"] ?? "").replace(/^.*\./, "");
      const exchange = {
        action,
        request: parsed(body),
        response: parsed(answered),
        status,
        askedAtMs,
        atMs: preciseNow(),
      };
      options.onExchange(exchange);
      outgoing.writeHead(status, answer.headers).end(answered);
    };
    // A program that stops breaks its long polls off, and a server that stops breaks off ours.
    forward().catch(() => outgoing.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${portOf(server)}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

/** Date.now() has whole milliseconds only; a batch takes ten. */
function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function parsed(body: Buffer): Readonly<Record<string, unknown>> {
  const value: unknown = body.length === 0 ? {} : JSON.parse(body.toString("utf8"));
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP port");
  return address.port;
}
