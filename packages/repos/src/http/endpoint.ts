/**
 * The address of a host that we do not control, from a DID document or a list. It is checked as text before the name is looked up; the
 * IP address is checked when the connection is made.
 */
import { isIP } from "node:net";
import { isLoopbackAddress } from "./addresses.ts";

export interface Endpoint {
  /** `https://host` or `https://host:port`, without a path. */
  readonly origin: string;
  /** host:port, in lower case: the key of its state. */
  readonly host: string;
  readonly hostname: string;
  readonly port: number;
  readonly isSecure: boolean;
  /** It names this machine, and the rules allow that. */
  readonly isLoopback: boolean;
}

export interface EndpointRules {
  /**
   * Allows http and the names and addresses of this machine, for a private network on loopback. Never set it where documents come
   * from the public directory: they could make us connect to services that listen on this machine.
   */
  readonly allowLoopback: boolean;
}

/** Names that private networks use, and names that are never public. */
const LOCAL_NAMES =
  /(?:^|\.)(?:local|localhost|localdomain|internal|intranet|private|lan|home|corp|arpa|test|invalid|example|onion|alt)$/;
/** At least two labels, and the last one is not a number: some resolvers read `0x7f.1` and `2130706433` as addresses. */
const PUBLIC_NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const MAX_URL = 2_048;

/** Returns a sentence if the address is refused. A path is refused, too: an endpoint is a host. */
export function parseEndpoint(text: string, { allowLoopback }: EndpointRules): Endpoint | string {
  if (text.length > MAX_URL || !URL.canParse(text)) return "the host's address is not a URL";
  const url = new URL(text);
  const { protocol, origin, username, password, pathname, search, hash } = url;
  if (protocol !== "https:" && protocol !== "http:") return "the host's address is neither https nor http";
  if (username !== "" || password !== "") return "the host's address holds a user name";
  if (pathname !== "/" || search !== "" || hash !== "") return "the host's address holds more than a host";
  const hostname = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  const isSecure = protocol === "https:";
  const port = url.port === "" ? (isSecure ? 443 : 80) : Number(url.port);
  const isLoopback = hostname === "localhost" || hostname.endsWith(".localhost") || isLoopbackAddress(hostname);
  const endpoint = { origin, host: `${url.hostname.replace(/\.$/, "")}:${port}`, hostname, port, isSecure, isLoopback };
  if (isLoopback && allowLoopback) return endpoint;
  if (isIP(hostname) !== 0) return "the host's address is an IP address; only names are connected to";
  if (LOCAL_NAMES.test(hostname) || isLoopback) return `${hostname} is a name of a local network`;
  if (!PUBLIC_NAME.test(hostname)) return `${hostname} is not a public host name`;
  return isSecure ? endpoint : "the host's address is http; only https is connected to";
}
