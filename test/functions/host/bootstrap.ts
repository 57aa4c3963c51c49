/**
 * The inside of an environment: loads a bundled handler and speaks the Lambda Runtime API, as the managed runtime does.
 * Run as a process of its own: `node --expose-gc bootstrap.ts /path/to/bundle.mjs`.
 */
import type { IncomingMessage } from "node:http";
import { pathToFileURL } from "node:url";

/** Not `fetch` and not imported: both load undici, which AWS's own client does not, and a first invocation is measured here. */
const http = process.getBuiltinModule("node:http");

type Handler = (event: unknown, context: object) => Promise<unknown>;

const api = `http://${process.env["AWS_LAMBDA_RUNTIME_API"]}/2018-06-01/runtime`;
const agent = new http.Agent({ keepAlive: true });
/** Kept on purpose, some of it at each invocation: what a leak does. */
const leaked: Buffer[] = [];
const leakMb = Number(process.env["TEST_LEAK_MB"] ?? 0);

/** What a long freeze leaves: the wall clock is ahead of where it was, and timers know nothing of it. */
let aheadMs = 0;
const systemNow = Date.now;
const now = () => systemNow() + aheadMs;
globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
});

const handler = await load(process.argv[2] ?? "");
for (;;) await next(handler);

async function load(bundle: string): Promise<Handler> {
  const before = performance.now();
  const cpuBefore = process.cpuUsage();
  try {
    const { handler: loaded }: { handler: Handler } = await import(pathToFileURL(bundle).href);
    // The managed runtime of Node 24 has no callbacks any more.
    if (loaded.length > 2) {
      const refused = new Error("AWS Lambda has removed support for callback-based function handlers");
      refused.name = "Runtime.CallbackHandlerDeprecated";
      throw refused;
    }
    const { user, system } = process.cpuUsage(cpuBefore);
    const ms = performance.now() - before;
    // For an endpoint without TLS, as the stand-ins have, the SDK imports this, and with it undici. On AWS it does not.
    await import("node:http");
    await post("init/done", { ms, cpuMs: (user + system) / 1000 });
    return loaded;
  } catch (error) {
    await post("init/error", describe(error));
    process.exit(1);
  }
}

async function next(run: Handler): Promise<void> {
  const { headers, body } = await call("GET", "invocation/next");
  const event: unknown = JSON.parse(body);
  const header = (name: string) => String(headers[`lambda-runtime-${name}`] ?? "");
  const id = header("aws-request-id");
  aheadMs = Number(header("test-clock-ahead-ms"));
  const deadlineMs = Number(header("deadline-ms"));
  const context = {
    awsRequestId: id,
    invokedFunctionArn: header("invoked-function-arn"),
    functionName: process.env["AWS_LAMBDA_FUNCTION_NAME"],
    functionVersion: "$LATEST",
    memoryLimitInMB: process.env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
    logGroupName: process.env["AWS_LAMBDA_LOG_GROUP_NAME"],
    logStreamName: process.env["AWS_LAMBDA_LOG_STREAM_NAME"],
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
  if (leakMb > 0) leaked.push(Buffer.alloc(leakMb * 1024 * 1024, 1));
  try {
    // A handler that resolves with nothing answers `null`, as on Lambda.
    await post(`invocation/${id}/response`, (await run(event, context)) ?? null);
  } catch (error) {
    await post(`invocation/${id}/error`, describe(error));
  }
}

async function post(path: string, body: unknown): Promise<void> {
  await call("POST", path, JSON.stringify(body));
}

async function call(method: string, path: string, content = "") {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    http.request(`${api}/${path}`, { method, agent }, resolve).on("error", reject).end(content);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  if ((response.statusCode ?? 0) >= 400) throw new Error(body);
  return { headers: response.headers, body };
}

function describe(error: unknown): object {
  return error instanceof Error
    ? { errorType: error.name, errorMessage: error.message, trace: error.stack?.split("\n") }
    : { errorType: typeof error, errorMessage: String(error) };
}
