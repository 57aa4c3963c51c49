/** Sends a message to a webhook in one request with a short deadline. The address is a secret: no error contains it. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";

const TIMEOUT_MS = 3_000;
const SHOWN_CHARS = 200;

/** It has no cause, because a message of the HTTP client might contain the address. */
export class WebhookError extends Error {
  override readonly name = "WebhookError";
}

/** @throws WebhookError if the receiver does not accept it */
export async function postWebhook(url: string, message: unknown): Promise<void> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(message),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new WebhookError(`the webhook cannot be reached: ${whyNot(error)}`);
  }
  // Reading the answer to its end releases the connection.
  const text = await response.text().catch(() => "");
  if (response.ok) return;
  throw new WebhookError(`the webhook answers with HTTP ${response.status}: ${escapeForLog(text, SHOWN_CHARS)}`);
}

/** The reason is in the cause of the error that `fetch` throws. */
function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if (error.name === "TimeoutError") return `no answer within ${TIMEOUT_MS / 1000} s`;
  const { cause } = error;
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : error.name;
}
