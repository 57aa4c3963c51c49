/**
 * The status page and the control of a local process, on 127.0.0.1 only. Requests with another name than loopback in Host, or
 * with another site in Origin, are refused, so that no other site can control a run through the user's browser.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Actor } from "@firehose-backfill/checkpoint/notes";
import { describeError } from "@firehose-backfill/core/errors";
import type { History } from "@firehose-backfill/status/history";
import { isEmptyTune, pageOfForm, parseControlForm } from "@firehose-backfill/status/parse-control-form";
import type { DeadEvents } from "@firehose-backfill/sink/dead-events";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { answerControl, type ControlReply, type ControlResult } from "./answer-control.ts";
import { sendDead } from "./dead-page.ts";
import { createFormNotices, type FormNotices } from "./form-notices.ts";
import { HOST, listen } from "./listen.ts";
import { metricsText } from "./metrics-text.ts";
import { findShown, noSuchRun, pastRuns, sendJson, sendPage, sendReport, type ServedRuns, shownRuns } from "./pages.ts";
import { MAX_BODY_BYTES, readBody } from "./read-body.ts";
import { SENDER_HEADER } from "./sender-header.ts";
import { pathOf, searchOf, whyRefused } from "./request-target.ts";

export interface HttpServerOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly snapshot: () => Promise<Snapshot>;
  readonly history: () => History;
  /** Given if several runs may be open. Left out: only the run of `snapshot` is known. */
  readonly runs?: ServedRuns;
  /** For the page of dead events. Left out: this process cannot reach their database. */
  readonly openDeadEvents?: () => DeadEvents;
  /** Executes a control event. @throws UsageError, ConfigError if it is refused */
  readonly control: (event: unknown, by: Actor) => Promise<ControlResult>;
  readonly log: (line: string) => void;
}

type Served = Omit<HttpServerOptions, "port">;

export interface HttpServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

/** A server that has its port already. It answers that the program is starting, until `serve` is called. */
export interface OpenedPort extends HttpServer {
  serve(options: Served): HttpServer;
}

/** @throws PortError */
export async function startHttpServer({ port, ...options }: HttpServerOptions): Promise<HttpServer> {
  return (await openPort(port)).serve(options);
}

/** Listens on the port before anything else is started. @throws PortError */
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

const ROUTES: Readonly<Record<string, readonly string[]>> = {
  "/": ["GET", "HEAD"],
  "/status.json": ["GET", "HEAD"],
  "/history.json": ["GET", "HEAD"],
  "/runs": ["GET", "HEAD"],
  "/runs.json": ["GET", "HEAD"],
  "/past.json": ["GET", "HEAD"],
  "/report": ["GET", "HEAD"],
  "/metrics": ["GET", "HEAD"],
  "/dead": ["GET", "HEAD"],
  "/control": ["POST"],
};

const GET_PATHS = Object.keys(ROUTES).filter((path) => ROUTES[path]?.includes("GET"));

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
  const search = searchOf(request.url ?? "/");
  switch (path) {
    case "/":
    case "/runs":
      return sendPage(options, response, { search, path });
    case "/report":
    case "/status.json":
    case "/history.json":
      return sendRun(options, response, { search, path });
    case "/runs.json":
      return sendJson(response, 200, await shownRuns(options));
    case "/past.json":
      return sendJson(response, 200, await pastRuns(options));
    case "/metrics":
      return sendMetrics(options, request, response);
    case "/dead":
      return sendDead(options, response, search);
    case "/control":
      return receiveControl(options, request, response);
    default:
      return sendJson(response, 404, {
        ok: false,
        error: `there is GET ${GET_PATHS.join(", GET ")} and POST /control`,
      });
  }
}

async function sendRun(
  options: Site,
  response: ServerResponse,
  { search, path }: { readonly search: URLSearchParams; readonly path: "/report" | "/status.json" | "/history.json" },
): Promise<void> {
  const found = await findShown(options, search.get("run"));
  if (found === null) return sendJson(response, 404, noSuchRun(search));
  switch (path) {
    case "/report":
      return sendReport(response, found);
    case "/status.json":
      return sendJson(response, 200, found.snapshot);
    case "/history.json":
      return sendJson(response, 200, found.history);
    default: {
      const unreachable: never = path;
      return unreachable;
    }
  }
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
    // The redirect allows the user to reload the next page without sending the form again.
    const sent = new URLSearchParams(body ?? "");
    const { ok } = reply.body;
    const notice = {
      ok,
      text: reply.body.ok ? reply.body.message : reply.body.error,
      action: sent.get("action") ?? "",
    };
    response.writeHead(303, { location: options.notices.add(notice, sent.get("run"), pageOfForm(sent)) }).end();
    return;
  }
  sendJson(response, reply.status, reply.body);
}

async function replyTo(options: Site, body: string | null, by: Actor): Promise<ControlReply> {
  if (body === null) {
    return { status: 413, body: { ok: false, error: `a control event has at most ${MAX_BODY_BYTES} bytes` } };
  }
  try {
    const event = by === "page" ? parseControlForm(new URLSearchParams(body)) : null;
    const reply = await answerControl(
      (given) => options.control(given, by),
      () => event ?? (JSON.parse(body) as unknown),
    );
    if (reply.body.ok || event === null || !isEmptyTune(event)) return reply;
    // The error text speaks of control events, which somebody who filled in a form does not know.
    return { status: reply.status, body: { ok: false, error: "Nothing was changed: every field was left empty." } };
  } catch (error) {
    options.log(`[BACKFILL] Page: ${describeError(error)}`);
    return { status: 500, body: { ok: false, error: describeError(error) } };
  }
}

function wantsJson(request: IncomingMessage): boolean {
  return (request.headers.accept ?? "").includes("application/json");
}

async function sendMetrics(options: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { contentType, body } = await metricsText(await shownRuns(options), request.headers.accept);
  response.writeHead(200, { "content-type": contentType }).end(body);
}
