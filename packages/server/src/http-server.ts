/**
 * The status page and the control of a local process, on 127.0.0.1 alone. Names other than loopback in Host, and other
 * sites' pages in Origin, are refused: a browser must not become somebody else's remote control.
 */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Actor } from "@firehose-backfill/checkpoint/notes";
import { describeError } from "@firehose-backfill/core/errors";
import type { History } from "@firehose-backfill/status/history";
import { pageOfForm, parseControlForm } from "@firehose-backfill/status/parse-control-form";
import { contentSecurityPolicy, renderHtml } from "@firehose-backfill/status/render-html";
import type { DeadEvents } from "@firehose-backfill/sink/dead-events";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { answerControl, type ControlReply, type ControlResult } from "./answer-control.ts";
import { deadPage } from "./dead-page.ts";
import { createFormNotices, type FormNotices } from "./form-notices.ts";
import { metricsText } from "./metrics-text.ts";
import { portHolder } from "./port-holder.ts";
import { SENDER_HEADER } from "./sender-header.ts";
import { pathOf, searchOf, whyRefused } from "./request-target.ts";

export interface HttpServerOptions {
  /** 0: any free one. */
  readonly port: number;
  readonly snapshot: () => Promise<Snapshot>;
  readonly history: () => History;
  /** Where several runs may be open. Left out: the one of `snapshot` is all that is known. */
  readonly runs?: ServedRuns;
  /** For the page of dead events. Left out: their database is not reached from here. */
  readonly openDeadEvents?: () => DeadEvents;
  /** Executes a control event. @throws UsageError, ConfigError when it is refused */
  readonly control: (event: unknown, by: Actor) => Promise<ControlResult>;
  readonly log: (line: string) => void;
}

export interface ServedRuns {
  /** Of each open run; where none is open, of the last one. */
  all(): Promise<readonly Snapshot[]>;
  /** By id or name. null: there is no such run. */
  find(run: string): Promise<{ readonly snapshot: Snapshot; readonly history: History } | null>;
}

type Served = Omit<HttpServerOptions, "port">;

export interface HttpServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

/** The port is taken, or may not be used. `message` says what to do. */
export class PortError extends Error {
  override readonly name = "PortError";
  isRetryable(): boolean {
    return false;
  }
}

const HOST = "127.0.0.1";
const MAX_BODY_BYTES = 1024 * 1024;

/** The port is ours, and says that the program is starting until `serve` gives it something to serve. */
export interface OpenedPort extends HttpServer {
  serve(options: Served): HttpServer;
}

/** @throws PortError */
export async function startHttpServer({ port, ...options }: HttpServerOptions): Promise<HttpServer> {
  return (await openPort(port)).serve(options);
}

/** Takes the port before anything else is begun. @throws PortError */
export async function openPort(wanted: number): Promise<OpenedPort> {
  let options: Site | null = null;
  const server = createServer({ requestTimeout: 30_000 }, (request, response) => {
    if (options === null) {
      response.setHeader("retry-after", "1");
      sendJson(response, 503, { ok: false, error: "still starting" });
      return;
    }
    const { log } = options;
    respond(options, request, response).catch((error: unknown) => {
      log(`[BACKFILL] Page: ${describeError(error)}`);
      if (!response.headersSent) sendJson(response, 500, { ok: false, error: describeError(error) });
      else response.destroy();
    });
  });
  await listen(server, wanted);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : wanted;
  const opened: HttpServer = {
    port,
    url: `http://${HOST}:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
  return {
    ...opened,
    serve(given) {
      options = { ...given, notices: createFormNotices() };
      return opened;
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.once("error", reject);
  server.listen(port, HOST, () => resolve(undefined));
  try {
    await promise;
  } catch (error) {
    const { what, holder } = await whyNot(error, port);
    throw new PortError(`${what}: set PORT to another one, or to 0 for any free one${holder}`, { cause: error });
  }
}

async function whyNot(error: unknown, port: number): Promise<{ readonly what: string; readonly holder: string }> {
  const code = error instanceof Error && "code" in error ? error.code : null;
  const holder = code === "EADDRINUSE" ? await portHolder(port) : null;
  return { what: whatOf(code, error, port), holder: holder === null ? "" : ` (${holder} listens there)` };
}

function whatOf(code: unknown, error: unknown, port: number): string {
  if (code === "EADDRINUSE") return `port ${port} is in use`;
  if (code === "EACCES") return `port ${port} may not be used by this user`;
  if (code === "EADDRNOTAVAIL")
    return `port ${port} of ${HOST} cannot be listened on, this machine has no loopback interface`;
  return `port ${port}: ${describeError(error)}`;
}

const ROUTES: Readonly<Record<string, readonly string[]>> = {
  "/": ["GET", "HEAD"],
  "/status.json": ["GET", "HEAD"],
  "/history.json": ["GET", "HEAD"],
  "/runs.json": ["GET", "HEAD"],
  "/metrics": ["GET", "HEAD"],
  "/dead": ["GET", "HEAD"],
  "/control": ["POST"],
};

type Site = Served & { readonly notices: FormNotices };

async function respond(options: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader("cache-control", "no-store");
  response.setHeader("x-content-type-options", "nosniff");
  // Not "no-referrer": with it, browsers send "Origin: null" with our own forms.
  response.setHeader("referrer-policy", "same-origin");
  const refusal = whyRefused(request);
  if (refusal !== null) {
    sendJson(response, 403, { ok: false, error: refusal });
    return;
  }
  const path = pathOf(request.url ?? "/");
  const methods = ROUTES[path];
  const method = request.method ?? "";
  if (methods !== undefined && !methods.includes(method)) {
    response.setHeader("allow", methods.join(", "));
    sendJson(response, 405, { ok: false, error: `${path} takes ${methods.join(" and ")}` });
    return;
  }
  switch (path) {
    case "/":
    case "/status.json":
    case "/history.json":
      return sendRun(options, request, response, path);
    case "/runs.json":
      return sendJson(response, 200, await allOf(options));
    case "/metrics":
      return sendMetrics(options, request, response);
    case "/dead":
      return sendDead(options, request, response);
    case "/control":
      return receiveControl(options, request, response);
    default:
      return sendJson(response, 404, {
        ok: false,
        error:
          "there is GET /, GET /status.json, GET /history.json, GET /runs.json, GET /metrics, GET /dead and POST /control",
      });
  }
}

/** `?run=ID` or `?run=NAME`: of that run. */
async function sendRun(
  options: Site,
  request: IncomingMessage,
  response: ServerResponse,
  path: "/" | "/status.json" | "/history.json",
): Promise<void> {
  const search = searchOf(request.url ?? "/");
  const wanted = search.get("run");
  const found =
    wanted === null || options.runs === undefined
      ? { snapshot: await options.snapshot(), history: options.history() }
      : await options.runs.find(wanted);
  if (found === null) {
    sendJson(response, 404, { ok: false, error: `no run has the id or the name ${wanted ?? ""}` });
    return;
  }
  if (path === "/") return sendPage(options, response, search, found);
  return sendJson(response, 200, path === "/status.json" ? found.snapshot : found.history);
}

function allOf(options: Site): Promise<readonly Snapshot[]> {
  return options.runs === undefined ? options.snapshot().then((snapshot) => [snapshot]) : options.runs.all();
}

async function receiveControl(options: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const type = (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim();
  const isForm = type === "application/x-www-form-urlencoded";
  if (!isForm && type !== "application/json") {
    sendJson(response, 415, { ok: false, error: "send application/json" });
    return;
  }
  const body = await readBody(request);
  const by = isForm ? "page" : request.headers[SENDER_HEADER] === "command" ? "command" : "control event";
  const reply = await replyTo(options, body, by);
  if (isForm && !wantsJson(request)) {
    // The page that follows can be reloaded without sending the form again.
    const notice = { ok: reply.body.ok, text: reply.body.ok ? reply.body.message : reply.body.error };
    response
      .writeHead(303, { location: options.notices.add(notice, pageOfForm(new URLSearchParams(body ?? ""))) })
      .end();
    return;
  }
  sendJson(response, reply.status, reply.body);
}

async function replyTo(options: Site, body: string | null, by: Actor): Promise<ControlReply> {
  if (body === null) {
    return { status: 413, body: { ok: false, error: `a control event has at most ${MAX_BODY_BYTES} bytes` } };
  }
  try {
    return await answerControl(
      (event) => options.control(event, by),
      () => (by === "page" ? parseControlForm(new URLSearchParams(body)) : (JSON.parse(body) as unknown)),
    );
  } catch (error) {
    options.log(`[BACKFILL] Page: ${describeError(error)}`);
    return { status: 500, body: { ok: false, error: describeError(error) } };
  }
}

function wantsJson(request: IncomingMessage): boolean {
  return (request.headers.accept ?? "").includes("application/json");
}

async function sendPage(
  options: Site,
  response: ServerResponse,
  search: URLSearchParams,
  { snapshot, history }: { readonly snapshot: Snapshot; readonly history: History },
): Promise<void> {
  const nonce = randomBytes(16).toString("base64");
  const notice = options.notices.find(search);
  const page = renderHtml(snapshot, {
    nonce,
    history: history.points,
    isStill: search.has("still"),
    ...(notice === null ? {} : { notice }),
  });
  response.setHeader("content-security-policy", contentSecurityPolicy(nonce));
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
}

async function sendDead(options: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { openDeadEvents } = options;
  if (openDeadEvents === undefined) {
    const error = "dead events are in the run's database: look there with firehose-backfill dead and its DATABASE_URL";
    sendJson(response, 404, { ok: false, error });
    return;
  }
  const search = searchOf(request.url ?? "/");
  const notice = options.notices.find(search);
  const nonce = randomBytes(16).toString("base64");
  const page = await deadPage(openDeadEvents, search, { nonce, ...(notice === null ? {} : { notice }) });
  response.setHeader("content-security-policy", contentSecurityPolicy(nonce));
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
}

async function sendMetrics(options: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { contentType, body } = await metricsText(await allOf(options), request.headers.accept);
  response.writeHead(200, { "content-type": contentType }).end(body);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(`${JSON.stringify(body)}\n`);
}

/** null: too large. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
