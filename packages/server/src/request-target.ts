/** What a request asks for, and of whom: the path of its target, and whether it is meant for this machine's loopback. */
import type { IncomingMessage } from "node:http";
import { whyForeign } from "./request-origin.ts";

const LOOPBACK_NAMES = new Set(["127.0.0.1", "localhost", "[::1]"]);
/** `GET http://127.0.0.1:8787/ HTTP/1.1`, as proxies are asked. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

/** Without the query. Nothing is decoded and nothing is resolved: what is not a route word for word is none. */
export function pathOf(target: string): string {
  const path = target.replace(ABSOLUTE, "").split(/[?#]/, 1).join();
  return path === "" ? "/" : path;
}

/** What follows the path; empty where nothing does. */
export function searchOf(target: string): URLSearchParams {
  return new URLSearchParams(/\?([^#]*)/.exec(target)?.[1] ?? "");
}

/** null: go on. DNS rebinding shows in Host, a foreign page in Origin. */
export function whyRefused({ url = "/", method, headers }: Asked): string | null {
  const { host, origin } = headers;
  const named = ABSOLUTE.exec(url)?.[1];
  if (!isLoopback(host) || (named !== undefined && !isLoopback(named))) return "this server answers on 127.0.0.1 only";
  const [fetchSite, fetchMode] = [oneOf(headers["sec-fetch-site"]), oneOf(headers["sec-fetch-mode"])];
  return whyForeign({ method, host, origin, fetchSite, fetchMode });
}

type Asked = Pick<IncomingMessage, "url" | "headers"> & Partial<Pick<IncomingMessage, "method">>;

function oneOf(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" ? header : undefined;
}

/** Names are the same in any case, and with the dot at their end. */
function isLoopback(host: string | undefined): boolean {
  if (host === undefined) return false;
  return LOOPBACK_NAMES.has(host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, ""));
}
