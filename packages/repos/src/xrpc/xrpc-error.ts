/** Errors that a host answers with, classified by what the caller should do. */
import type { ClassifiedError } from "@firehose-backfill/core/errors";
import type { HttpAnswer } from "../http/request.ts";

/**
 * Why an account's repository is not available. This is final until the account changes; it is never retried. The words are stored as the
 * account's status: never rename one. `not-found`: its host does not know it. `tombstone`: the account's DID has ended.
 */
export type UnavailableState = "not-found" | "deactivated" | "takendown" | "suspended" | "tombstone";

export class RepoUnavailableError extends Error implements ClassifiedError {
  override readonly name = "RepoUnavailableError";
  readonly state: UnavailableState;

  constructor(state: UnavailableState, message: string) {
    super(message);
    this.state = state;
  }

  isRetryable(): boolean {
    return false;
  }
}

/** Any other error that the host answered with. */
export class XrpcError extends Error implements ClassifiedError {
  override readonly name = "XrpcError";
  readonly status: number;
  /** The `error` field of the body, at most 100 characters; empty if there is none. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  isRetryable(): boolean {
    return this.status === 408 || this.status === 425;
  }
}

const STATES: Readonly<Record<string, UnavailableState>> = {
  RepoNotFound: "not-found",
  NotFound: "not-found",
  AccountNotFound: "not-found",
  RepoDeactivated: "deactivated",
  AccountDeactivated: "deactivated",
  RepoTakendown: "takendown",
  AccountTakedown: "takendown",
  RepoSuspended: "suspended",
  AccountSuspended: "suspended",
};
const MAX_BODY_BYTES = 65_536;
const MAX_CODE = 100;
const MAX_MESSAGE = 300;

/** Reads the body of an answer that is not 200. `what` says what was asked for. */
export async function xrpcErrorOf(answer: HttpAnswer, what: string): Promise<RepoUnavailableError | XrpcError> {
  const { code, message } = parseBody(await readText(answer));
  const text = `${what}: HTTP ${answer.status}${code === "" ? "" : ` ${code}`}${message === "" ? "" : `: ${message}`}`;
  const state = Object.hasOwn(STATES, code) ? STATES[code] : undefined;
  return state === undefined ? new XrpcError(answer.status, code, text) : new RepoUnavailableError(state, text);
}

function parseBody(body: string): { readonly code: string; readonly message: string } {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== "object" || parsed === null) return { code: "", message: "" };
    const { error, message }: { error?: unknown; message?: unknown } = parsed;
    return {
      code: typeof error === "string" ? error.slice(0, MAX_CODE) : "",
      message: typeof message === "string" ? message.slice(0, MAX_MESSAGE) : "",
    };
  } catch {
    // The body is HTML of a proxy in front of the host: the status is enough.
    return { code: "", message: "" };
  }
}

/** At most the first 64 KiB. */
async function readText({ body }: HttpAnswer): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_BODY_BYTES) break;
  }
  return Buffer.concat(chunks).toString("utf8", 0, MAX_BODY_BYTES);
}
