/** Listens on a port of 127.0.0.1, or says why that is not possible. */
import type { Server } from "node:http";
import { describeError } from "@firehose-backfill/core/errors";
import { portHolder } from "./port-holder.ts";

export const HOST = "127.0.0.1";

/** The port is in use, or may not be used. `message` says what to do. */
export class PortError extends Error {
  override readonly name = "PortError";
  isRetryable(): boolean {
    return false;
  }
}

/** @throws PortError */
export async function listen(server: Server, port: number): Promise<void> {
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
