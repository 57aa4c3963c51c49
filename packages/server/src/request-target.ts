/** What a request asks for, and of whom: the path of its target, and whether it is meant for this machine's loopback. */
import type { IncomingMessage } from "node:http";

const LOOPBACK_NAMES = new Set(["127.0.0.1", "localhost", "[::1]"]);
/** `GET http://127.0.0.1:8787/ HTTP/1.1`, as proxies are asked. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

/** Without the query. Nothing is decoded and nothing is resolved: what is not a route word for word is none. */
export function pathOf(target: string): string {
  const path = target.replace(ABSOLUTE, "").split(/[?#]/, 1).join();
  return path === "" ? "/" : path;
}

/** null: go on. DNS rebinding shows in Host, a foreign page in Origin. */
export function whyRefused({ url = "/", headers }: Pick<IncomingMessage, "url" | "headers">): string | null {
  const { host, origin } = headers;
  const named = ABSOLUTE.exec(url)?.[1];
  if (!isLoopback(host) || (named !== undefined && !isLoopback(named))) return "this server answers on 127.0.0.1 only";
  if (origin === undefined) return null;
  return origin.toLowerCase() === `http://${host}`.toLowerCase() ? null : "requests from other origins are refused";
}

/** Names are the same in any case, and with the dot at their end. */
function isLoopback(host: string | undefined): boolean {
  if (host === undefined) return false;
  return LOOPBACK_NAMES.has(host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, ""));
}
