/**
 * A deployed function on this machine: an environment for each invocation that goes on at the same time, kept and used
 * again, up to the reserved concurrency; above it an invocation is throttled.
 */
import { randomUUID } from "node:crypto";
import { usedMs } from "./cpu-share.ts";
import { type LambdaEnvironment, type Outcome, startEnvironment } from "./environment.ts";
import { LARGEST_PAYLOAD_BYTES } from "./runtime-api.ts";

export interface FunctionOptions {
  readonly name: string;
  readonly bundle: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly reservedConcurrency: number;
  readonly memoryMb?: number;
  readonly cpuShare?: number | undefined;
  /** What the environment of this number gets beside the others, from 0. */
  readonly envOf?: ((index: number) => Readonly<Record<string, string>>) | undefined;
}

export interface Invocation {
  readonly outcome: Outcome["kind"] | "throttled";
  /** What the handler answered, as JSON; null for anything else than a response. */
  readonly body: string | null;
  /** Why there is none. */
  readonly error: string | null;
  /** As Lambda bills it: from the event to the answer, each millisecond begun. */
  readonly billedMs: number;
  /** Of all its threads. Beside other programs it says more than `billedMs`. */
  readonly cpuMs: number;
}

export interface LocalFunction extends AsyncDisposable {
  readonly name: string;
  /** @throws Error for an event that is too large for Lambda to take */
  invoke(event: unknown): Promise<Invocation>;
  /** The clocks of its environments go ahead of this machine's. */
  jumpAhead(ms: number): void;
  /** All of them, in the order of their ends. */
  readonly invocations: readonly Invocation[];
  /** Started so far; those that are gone as well. */
  readonly environments: readonly LambdaEnvironment[];
  /** Of those that work now. */
  readonly busyPids: () => readonly number[];
  /** What all environments printed. */
  readonly output: () => string;
}

export function createLocalFunction(options: FunctionOptions): LocalFunction {
  const environments: LambdaEnvironment[] = [];
  const invocations: Invocation[] = [];
  const idle: LambdaEnvironment[] = [];
  const busy = new Set<LambdaEnvironment>();
  let inUse = 0;
  let output = "";
  let aheadMs = 0;

  const takeEnvironment = async (): Promise<LambdaEnvironment> => {
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) if (!kept.isGone()) return kept;
    const started = await startEnvironment({
      bundle: options.bundle,
      functionName: options.name,
      logStream: `2026/01/01/[$LATEST]${randomUUID().replaceAll("-", "")}`,
      memoryMb: options.memoryMb ?? 640,
      env: { ...options.env, ...options.envOf?.(environments.length) },
      cpuShare: options.cpuShare,
      onOutput: (text) => void (output += text),
    });
    environments.push(started);
    return started;
  };

  const run = async (event: unknown): Promise<Invocation> => {
    const environment = await takeEnvironment();
    await environment.imported.catch(() => undefined);
    busy.add(environment);
    const before = performance.now();
    const usedBefore = usedMs(environment.pid);
    const outcome = await environment.invoke(event, { timeoutMs: options.timeoutMs, aheadMs });
    const billedMs = Math.ceil(performance.now() - before);
    const cpuMs = Math.max(0, usedMs(environment.pid) - usedBefore);
    busy.delete(environment);
    if (outcome.kind === "response" || outcome.kind === "error") idle.push(environment);
    return {
      outcome: outcome.kind,
      ...answerOf(outcome),
      billedMs,
      cpuMs,
    };
  };

  return {
    name: options.name,
    invocations,
    environments,
    busyPids: () => [...busy].map(({ pid }) => pid),
    output: () => output,
    jumpAhead(ms) {
      aheadMs += ms;
    },
    async invoke(event) {
      if (Buffer.byteLength(JSON.stringify(event)) > LARGEST_PAYLOAD_BYTES)
        throw new Error("RequestEntityTooLargeException: Lambda takes events of 6 MB");
      let invocation: Invocation = { outcome: "throttled", body: null, error: "throttled", billedMs: 0, cpuMs: 0 };
      if (inUse < options.reservedConcurrency) {
        inUse += 1;
        try {
          invocation = await run(event);
        } finally {
          inUse -= 1;
        }
      }
      invocations.push(invocation);
      return invocation;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(environments.map((environment) => environment[Symbol.asyncDispose]()));
    },
  };
}

function answerOf(outcome: Outcome): Pick<Invocation, "body" | "error"> {
  switch (outcome.kind) {
    case "response":
      return { body: outcome.body, error: null };
    case "error":
      return { body: null, error: `${outcome.error.errorType}: ${outcome.error.errorMessage}` };
    case "timeout":
      return { body: null, error: "timed out" };
    case "memory":
      return { body: null, error: "Runtime.OutOfMemory: signal: killed" };
    case "exit":
      return { body: null, error: `the runtime exited with ${outcome.code}` };
    default: {
      const unreachable: never = outcome;
      return unreachable;
    }
  }
}
