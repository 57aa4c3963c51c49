/**
 * The Lambda Runtime API of one environment, on loopback: hands out an invocation when there is one, takes the answer.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export interface RuntimeError {
  readonly errorType: string;
  readonly errorMessage: string;
}

export type Answer =
  | { readonly kind: "response"; readonly body: string }
  | { readonly kind: "error"; readonly error: RuntimeError };

/** What importing the handler's module took, without the start of Node. */
export interface Imported {
  readonly ms: number;
  /** Of all threads. null with AWS's own client, which does not say. */
  readonly cpuMs: number | null;
}

export interface RuntimeApi extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as AWS_LAMBDA_RUNTIME_API takes it. */
  readonly address: string;
  /** Resolves once the handler is loaded. @throws Error what loading it threw */
  readonly loaded: Promise<Imported>;
  /** Hands out one invocation and resolves with its answer. One at a time. `aheadMs`: of the environment's clock. */
  invoke(event: unknown, options: { readonly deadlineMs: number; readonly aheadMs: number }): Promise<Answer>;
}

/** Of an event and of an answer: 6 MB, and what Lambda allows beyond. */
export const LARGEST_PAYLOAD_BYTES = 6 * 1024 * 1024 + 100;

export interface RuntimeApiOptions {
  readonly functionArn: string;
  /** The environment has nothing to do: from here on Lambda lets it have no processor. */
  readonly onIdle: () => void;
}

export async function startRuntimeApi(options: RuntimeApiOptions): Promise<RuntimeApi> {
  const loaded = Promise.withResolvers<Imported>();
  // Nobody may be waiting for it when it fails.
  loaded.promise.catch(() => undefined);
  const beganMs = performance.now();
  let pending: {
    id: string;
    event: string;
    deadlineMs: number;
    aheadMs: number;
    answer: (answer: Answer) => void;
  } | null = null;
  let isHandedOut = false;
  let waiting: ServerResponse | null = null;

  const handOut = () => {
    if (pending === null || isHandedOut || waiting === null) return;
    const response = waiting;
    waiting = null;
    isHandedOut = true;
    response.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": pending.id,
      "lambda-runtime-deadline-ms": String(pending.deadlineMs + pending.aheadMs),
      "lambda-runtime-test-clock-ahead-ms": String(pending.aheadMs),
      "lambda-runtime-invoked-function-arn": options.functionArn,
    });
    response.end(pending.event);
  };

  const settle = (answer: Answer) => {
    const done = pending;
    pending = null;
    isHandedOut = false;
    done?.answer(answer);
  };

  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const [, , , first = "", second = "", third = ""] = (request.url ?? "").split("/");
    if (request.method === "GET" && first === "invocation" && second === "next") {
      // AWS's own client does not say that it has loaded the handler: it asks for work.
      loaded.resolve({ ms: performance.now() - beganMs, cpuMs: null });
      waiting = response;
      if (pending === null) options.onIdle();
      handOut();
      return;
    }
    const body = await textOf(request);
    if (third === "response" && Buffer.byteLength(body) > LARGEST_PAYLOAD_BYTES) {
      response.writeHead(413).end("Function.ResponseSizeTooLarge");
      // Lambda ends the invocation itself, whatever the client does then.
      const error = { errorType: "Function.ResponseSizeTooLarge", errorMessage: "Response payload size exceeded 6 MB" };
      if (second === pending?.id) settle({ kind: "error", error });
      return;
    }
    response.writeHead(202).end();
    if (first === "init" && second === "done") loaded.resolve(importedOf(body));
    else if (first === "init") loaded.reject(new Error(errorOf(body).errorMessage));
    else if (second === pending?.id && third === "response") settle({ kind: "response", body });
    else if (second === pending?.id) settle({ kind: "error", error: errorOf(body) });
  };

  const server = createServer((request, response) => {
    // A process that is killed in the middle of a request has nothing more to say.
    respond(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return {
    address: `127.0.0.1:${address.port}`,
    loaded: loaded.promise,
    invoke: (event, { deadlineMs, aheadMs }) =>
      new Promise((resolve) => {
        pending = { id: randomUUID(), event: JSON.stringify(event), deadlineMs, aheadMs, answer: resolve };
        handOut();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What bootstrap.ts sends: our own, so its shape is taken for granted. */
function importedOf(body: string): Imported {
  return JSON.parse(body);
}

function errorOf(body: string): RuntimeError {
  return JSON.parse(body);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
