/**
 * An environment of a function whose memory is measured: it loads a bundled handler, invokes it with what its parent sends, and says what it
 * holds when it is asked. Started by growing-function.ts as built JavaScript.
 */
import { pathToFileURL } from "node:url";
import { onParentGone } from "@firehose-backfill/embedded/child-side";
import { type FunctionMemory, readFunctionMemory } from "./function-memory.ts";

export interface ToChild {
  readonly id: number;
  /** null: say what is held. */
  readonly event: unknown;
  readonly remainingMs: number;
  /** Bytes that are kept for ever, as a leak does. */
  readonly leakBytes: number;
  /** Collect garbage before memory is read. */
  readonly collect: boolean;
}

export interface FromChild {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
  readonly memory?: FunctionMemory;
}

type Handler = (event: unknown, context: object) => Promise<unknown>;

const PAUSE_MS = 50;
const leaked: Buffer[] = [];

onParentGone(() => {});
const loading: Promise<{ readonly handler: Handler }> = import(pathToFileURL(process.argv[2] ?? "").href);
process.on("message", (message) => {
  if (isToChild(message)) void take(message).then((reply) => process.send?.(reply));
});

async function take({ id, event, remainingMs, leakBytes, collect }: ToChild): Promise<FromChild> {
  if (leakBytes > 0) leaked.push(Buffer.alloc(leakBytes, leaked.length));
  if (event === null) {
    if (collect) await collectGarbage();
    return { id, memory: readFunctionMemory() };
  }
  const deadlineMs = Date.now() + remainingMs;
  const context = {
    awsRequestId: `request-${id}`,
    functionName: process.env["AWS_LAMBDA_FUNCTION_NAME"],
    functionVersion: "$LATEST",
    invokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:growth",
    memoryLimitInMB: process.env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
  try {
    const { handler } = await loading;
    return { id, answer: (await handler(event, context)) ?? null };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Twice: what finalizers and closed sockets release is garbage only after the first time. */
async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function isToChild(message: unknown): message is ToChild {
  return typeof message === "object" && message !== null && "event" in message && "leakBytes" in message;
}
