/** Parses what a request asks for: the path of its target, and whether it is addressed to this machine's loopback. */
import type { IncomingMessage } from "node:http";
import { whyForeign } from "./request-origin.ts";

const LOOPBACK_NAMES = new Set(["127.0.0.1", "localhost", "[::1]"]);
/** `GET http://127.0.0.1:8787/ HTTP/1.1`, the form for proxies. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

/** Without the query. Nothing is decoded or resolved: a path that is not exactly a route is unknown. */
export function pathOf(target: string): string {
  const path = target.replace(ABSOLUTE, "").split(/[?#]/, 1).join();
  return path === "" ? "/" : path;
}

/** The text after the path; empty if there is none. */
export function searchOf(target: string): URLSearchParams {
  return new URLSearchParams(/\?([^#]*)/.exec(target)?.[1] ?? "");
}

/** null: accepted. DNS rebinding is detected by Host, a page of another site by Origin. */
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

/** Names are compared without case and without a final dot. */
function isLoopback(host: string | undefined): boolean {
  if (host === undefined) return false;
  return LOOPBACK_NAMES.has(host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, ""));
}
