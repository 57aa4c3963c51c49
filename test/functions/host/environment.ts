/**
 * One Lambda environment: a process that is started for a function, stopped by SIGSTOP while it has nothing to do, and
 * killed when an invocation takes too long or too much memory. What it printed belongs to the function's log.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { parse } from "node:path";
import { fileURLToPath } from "node:url";
import { holdToShare } from "./cpu-share.ts";
import { type Answer, type Imported, startRuntimeApi } from "./runtime-api.ts";

const BOOTSTRAP = fileURLToPath(new URL("./bootstrap.ts", import.meta.url));

/** Names AWS's own runtime client, to be used in the place of ours: `npm run test:ric`. */
export const RIC_VARIABLE = "FIREHOSE_BACKFILL_RIC";

/** False: AWS's own client is used, and what only ours can do is left out. */
export const hasOwnClient = process.env[RIC_VARIABLE] === undefined;

/** How often Lambda's limit of memory is looked after: a kernel does it at each page. */
const MEMORY_LOOK_MS = 20;

export type Outcome =
  | Answer
  | { readonly kind: "timeout" }
  | { readonly kind: "memory" }
  | { readonly kind: "exit"; readonly code: number | null };

export interface LambdaEnvironment extends AsyncDisposable {
  readonly pid: number;
  /** The handler's module is there. */
  readonly imported: Promise<Imported>;
  /** Times it was frozen so far. */
  readonly freezes: () => number;
  readonly isGone: () => boolean;
  /** `aheadMs`: how far its clock is ahead of this machine's, as after a freeze that was not waited for. */
  invoke(event: unknown, options: { readonly timeoutMs: number; readonly aheadMs: number }): Promise<Outcome>;
}

export interface EnvironmentOptions {
  readonly bundle: string;
  readonly functionName: string;
  readonly logStream: string;
  readonly memoryMb: number;
  readonly env: Readonly<Record<string, string>>;
  readonly onOutput: (text: string) => void;
  /** Of a core, while it works; left out: all of it. */
  readonly cpuShare?: number | undefined;
}

export async function startEnvironment(options: EnvironmentOptions): Promise<LambdaEnvironment> {
  const { functionName } = options;
  let freezes = 0;
  const api = await startRuntimeApi({
    functionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    onIdle: () => {
      freezes += 1;
      child.kill("SIGSTOP");
    },
  });
  const { name: handlerFile, dir: taskRoot } = parse(options.bundle);
  const ric = process.env[RIC_VARIABLE];
  const client = ric === undefined ? [BOOTSTRAP, options.bundle] : [ric];
  const child = spawn(process.execPath, ["--expose-gc", ...client], {
    env: {
      _HANDLER: `${handlerFile}.handler`,
      LAMBDA_TASK_ROOT: taskRoot,
      AWS_LAMBDA_LOG_FORMAT: "JSON",
      PATH: process.env["PATH"] ?? "",
      AWS_LAMBDA_RUNTIME_API: api.address,
      AWS_LAMBDA_FUNCTION_NAME: functionName,
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(options.memoryMb),
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${functionName}`,
      AWS_LAMBDA_LOG_STREAM_NAME: options.logStream,
      AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_EC2_METADATA_DISABLED: "true",
      NODE_OPTIONS: `--max-semi-space-size=4 --max-old-space-size=${Math.floor(options.memoryMb * 0.8)}`,
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { promise: exited, resolve: onExit } = Promise.withResolvers<number | null>();
  child.once("close", onExit);
  child.once("error", () => onExit(null));
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", options.onOutput);
  let isGone = false;
  child.once("exit", () => {
    isGone = true;
  });
  // Ends with this process: a stopped one would otherwise stay for ever.
  const onParentExit = () => child.kill("SIGKILL");
  process.once("exit", onParentExit);

  return {
    pid: child.pid ?? 0,
    imported: api.loaded,
    freezes: () => freezes,
    isGone: () => isGone,
    async invoke(event, { timeoutMs, aheadMs }) {
      // Lambda begins to count when the handler is loaded.
      const ready = await Promise.race([api.loaded.then(() => true), exited.then(() => false)]);
      if (!ready) return { kind: "exit", code: await exited };
      child.kill("SIGCONT");
      const { promise: timeout, resolve: onTimeout } = Promise.withResolvers<Outcome>();
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        onTimeout({ kind: "timeout" });
      }, timeoutMs);
      const { promise: outOfMemory, resolve: onOutOfMemory } = Promise.withResolvers<Outcome>();
      const looking = setInterval(() => {
        if (rssMbOf(child.pid) <= options.memoryMb) return;
        child.kill("SIGKILL");
        onOutOfMemory({ kind: "memory" });
      }, MEMORY_LOOK_MS);
      using _ = options.cpuShare === undefined ? null : holdToShare(child.pid ?? 0, options.cpuShare);
      const exit = exited.then((code): Outcome => ({ kind: "exit", code }));
      try {
        const answer = api.invoke(event, { deadlineMs: Date.now() + timeoutMs, aheadMs });
        return await Promise.race([answer, timeout, outOfMemory, exit]);
      } finally {
        clearTimeout(timer);
        clearInterval(looking);
      }
    },
    async [Symbol.asyncDispose]() {
      process.off("exit", onParentExit);
      child.kill("SIGKILL");
      await exited;
      await api[Symbol.asyncDispose]();
    },
  };
}

/** 0 where there is no such process any more, or no /proc. */
function rssMbOf(pid: number | undefined): number {
  try {
    const [, kb = "0"] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kb) / 1024;
  } catch {
    return 0;
  }
}
