/** A bundled function in one process that is never replaced, with the flags that it has on Lambda. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { FunctionName } from "../../scripts/bundle-functions.ts";
import { buildChild } from "./build-child.ts";
import type { FromChild, ToChild } from "./function-growth-child.ts";
import type { FunctionMemory } from "./function-memory.ts";

export interface GrowingFunction extends AsyncDisposable {
  /** What the handler answers. @throws Error if it fails, or if the process has ended */
  invoke(event: unknown, options: { readonly remainingMs: number }): Promise<unknown>;
  /** Holds this much more for ever. */
  leak(bytes: number): Promise<void>;
  memory(options: { readonly collect: boolean }): Promise<FunctionMemory>;
}

/** What infra/function.ts gives a function with the default memory limit. Lambda itself adds --expose-gc. */
const FUNCTION_MEMORY_MB = 512;
const HEAP_MB = Math.floor(FUNCTION_MEMORY_MB * 0.8);
const NODE_FLAGS = ["--expose-gc", "--max-semi-space-size=4", `--max-old-space-size=${HEAP_MB}`];
const TAIL_CHARS = 4_000;
const CHILD = "function-growth-child.mjs";

/** Call it once for a folder. */
export async function buildGrowthChild(bundles: string): Promise<void> {
  await buildChild("test/throttle/function-growth-child.ts", join(bundles, CHILD));
}

export function startGrowingFunction(
  name: FunctionName,
  options: { readonly bundles: string; readonly env: Readonly<Record<string, string>> },
): GrowingFunction {
  const child = fork(join(options.bundles, CHILD), [join(options.bundles, `${name}.mjs`)], {
    execArgv: NODE_FLAGS,
    env: {
      PATH: process.env["PATH"] ?? "",
      ...options.env,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(FUNCTION_MEMORY_MB),
    },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let tail = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => void (tail = (tail + text).slice(-TAIL_CHARS)));
  const exited = once(child, "exit");
  const waiting = new Map<number, PromiseWithResolvers<FromChild>>();
  let ended: Error | null = null;
  void exited.then(([code]) => {
    ended = new Error(`the ${name} ended with ${String(code)}:\n${tail}`);
    for (const { reject } of waiting.values()) reject(ended);
  });
  child.on("message", (message) => {
    if (!isFromChild(message)) return;
    waiting.get(message.id)?.resolve(message);
    waiting.delete(message.id);
  });
  let last = 0;
  const ask = (message: Omit<ToChild, "id">): Promise<FromChild> => {
    if (ended !== null) return Promise.reject(ended);
    last += 1;
    const reply = Promise.withResolvers<FromChild>();
    waiting.set(last, reply);
    child.send({ ...message, id: last }, () => {});
    return reply.promise;
  };
  return {
    async invoke(event, { remainingMs }) {
      const { answer, error } = await ask({ event, remainingMs, leakBytes: 0, collect: false });
      if (error !== undefined) throw new Error(`the ${name} failed: ${error}`);
      return answer;
    },
    async leak(bytes) {
      await ask({ event: null, remainingMs: 0, leakBytes: bytes, collect: false });
    },
    async memory({ collect }) {
      const { memory } = await ask({ event: null, remainingMs: 0, leakBytes: 0, collect });
      if (memory === undefined) throw new Error(`the ${name} did not say what it holds`);
      return memory;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function isFromChild(message: unknown): message is FromChild {
  return typeof message === "object" && message !== null && "id" in message && typeof message.id === "number";
}
