import { createServer, type Server } from "node:http";
import { expect, test } from "vitest";
import { loopbackFetch } from "./loopback-fetch.ts";

async function echo() {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => void (body += text));
    request.on("end", () => {
      response.writeHead(request.method === "POST" ? 409 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify({ method: request.method, url: request.url, accept: request.headers.accept, body }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = portOf(server);
  return { port, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())) };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const never: typeof fetch = () => Promise.reject(new Error("this went elsewhere"));

test.each(["127.0.0.1", "localhost"])("fault 24: http://%s is asked directly", async (host) => {
  await using server = await echo();
  const ask = loopbackFetch(never);
  const got = await ask(`http://${host}:${server.port}/a?b`, { headers: { accept: "x/y" } });
  expect([got.status, await got.json()]).toEqual([200, { method: "GET", url: "/a?b", accept: "x/y", body: "" }]);
  const init = { method: "POST", body: "{}", signal: AbortSignal.timeout(5_000) };
  const sent = await ask(new URL(`http://${host}:${server.port}/`), init);
  expect([sent.status, await sent.json()]).toEqual([409, expect.objectContaining({ method: "POST", body: "{}" })]);
  expect((await ask(`http://${host}:${server.port}/`, { method: "HEAD" })).headers.get("content-type")).toMatch(/json/);
});

test("what cannot be asked is rejected, and a signal ends it", async () => {
  const ask = loopbackFetch(never);
  await expect(ask("http://127.0.0.1:1/")).rejects.toThrow("ECONNREFUSED");
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = portOf(server);
  await expect(ask(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(20) })).rejects.toThrow(/abort/i);
  server.closeAllConnections();
  server.close();
});

test.each(["https://127.0.0.1/", "http://127.0.0.1.evil.example/", "http://example.com/"])(
  "%s goes as Node sends it",
  async (url) => {
    await expect(loopbackFetch(never)(url)).rejects.toThrow("this went elsewhere");
  },
);
