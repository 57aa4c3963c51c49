/**
 * A proxy on loopback in front of services with AWS's protocols. It passes calls on unchanged, and the test sees each of them. So the
 * program under test neither counts its own calls nor decides what it may do.
 */
import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request as httpRequest, type Server } from "node:http";
import { buffer } from "node:stream/consumers";

export type ServiceName = "dynamodb" | "sqs" | "sns";

export interface AwsCall {
  readonly service: ServiceName;
  /** `ReceiveMessage`, `UpdateItem`: the last part of X-Amz-Target, or SNS's form field. */
  readonly action: string;
  readonly request: Readonly<Record<string, unknown>>;
}

export interface Exchange extends AwsCall {
  readonly response: Readonly<Record<string, unknown>>;
  readonly status: number;
  /** When the request had arrived here, and when its answer had; milliseconds since the epoch, with fractions. */
  readonly askedAtMs: number;
  readonly atMs: number;
}

export interface AwsProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
}

export interface AwsProxyOptions {
  /** `http://127.0.0.1:PORT` of the real service. */
  readonly targetOf: (service: ServiceName) => string;
  /** Returns a sentence: the call is not passed on and is answered with AccessDeniedException. */
  readonly refuse?: (call: AwsCall) => string | null;
  readonly onExchange?: (exchange: Exchange) => void;
}

export async function startAwsProxy({ targetOf, refuse, onExchange }: AwsProxyOptions): Promise<AwsProxy> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    const forward = async (): Promise<void> => {
      const body = await buffer(incoming);
      const askedAtMs = preciseNow();
      const { method, headers } = incoming;
      const call = callOf(String(headers["x-amz-target"] ?? ""), body);
      const refusal = refuse?.(call) ?? null;
      if (refusal !== null) {
        outgoing.writeHead(400, { "content-type": "application/x-amz-json-1.0" });
        outgoing.end(JSON.stringify({ __type: "AccessDeniedException", message: refusal }));
        return;
      }
      const upstream = httpRequest(new URL(incoming.url ?? "/", targetOf(call.service)), { method, headers, agent });
      upstream.end(body);
      const [answer]: IncomingMessage[] = await once(upstream, "response");
      if (answer === undefined) throw new Error("no answer");
      const answered = await buffer(answer);
      const status = answer.statusCode ?? 0;
      onExchange?.({ ...call, response: parsed(answered), status, askedAtMs, atMs: preciseNow() });
      outgoing.writeHead(status, answer.headers).end(answered);
    };
    // A program that stops ends its long polls early, and a server that stops ends ours.
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

/** SNS uses forms, the others JSON. */
function callOf(target: string, body: Buffer): AwsCall {
  if (target === "") {
    const form = Object.fromEntries(new URLSearchParams(body.toString("utf8")));
    return { service: "sns", action: form["Action"] ?? "", request: form };
  }
  const action = target.replace(/^.*\./, "");
  return { service: target.startsWith("DynamoDB") ? "dynamodb" : "sqs", action, request: parsed(body) };
}

/** Date.now() has whole milliseconds only, which is too coarse: a batch takes ten. */
function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}

/** {} if the body is not a JSON object. */
function parsed(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP port");
  return address.port;
}
