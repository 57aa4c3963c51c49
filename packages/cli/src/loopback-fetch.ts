/**
 * `fetch` that connects directly to hosts on loopback. With NODE_USE_ENV_PROXY and HTTP_PROXY, Node's own `fetch` would send `pause`
 * and `status` for this machine to the proxy, whose 127.0.0.1 is another machine. Other hosts are left to Node.
 */
import { Agent, request, type IncomingMessage } from "node:http";
import { isLoopback } from "@firehose-backfill/core/config/hosts";

export function loopbackFetch(elsewhere: typeof fetch): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const isPlain = url.protocol === "http:" && !(input instanceof Request);
    return isPlain && isLoopback(url.hostname) ? await ask(url, init ?? {}) : await elsewhere(input, init);
  };
}

/** Requests to loopback need only this: a text body or none, and no redirects. */
function ask(url: URL, { method = "GET", headers, body, signal }: RequestInit): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const asked = request(
    url,
    // A new agent ignores the proxy; the global one may use it.
    { method, headers: Object.fromEntries(new Headers(headers)), agent: new Agent(), ...(signal ? { signal } : {}) },
    (response) => void receive(response, method).then(resolve, reject),
  );
  asked.on("error", reject);
  if (typeof body === "string") asked.end(body);
  else if (body === undefined || body === null) asked.end();
  else asked.destroy(new TypeError("only a text can be sent to loopback"));
  return promise;
}

const NO_BODY = new Set([204, 205, 304]);

async function receive(response: IncomingMessage, method: string): Promise<Response> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  const status = response.statusCode ?? 500;
  const headers = new Headers(
    Object.entries(response.headers).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
    ),
  );
  return new Response(NO_BODY.has(status) || method === "HEAD" ? null : Buffer.concat(chunks), { status, headers });
}
