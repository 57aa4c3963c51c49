/** RELAY_URL: which host's firehose is read. */
import { isIpLiteral, isLoopback } from "./hosts.ts";
import { type Kind, type Parsed, quoteHeld } from "./kinds.ts";

export const relayUrl: Kind<string> = {
  takes: "wss://host[:port], or ws:// for a host on loopback",
  parse: parseRelayUrl,
  show: (value) => value,
  showHeld: (text) => quoteHeld(text.replace(/\/\/[^/]*@/, "//***@")),
};

/** The name of the bundled sample: into your own database it is replayed only if you ask for it. */
const SAMPLE = "sample";

/** null: the bundled sample. Several hosts, separated by commas: who may name them is the configuration's affair. */
export const relayUrlOrSample: Kind<string | null> = {
  takes: `${relayUrl.takes}, or ${SAMPLE} for the bundled sample`,
  parse: (text, context) => {
    if (text === SAMPLE) return { value: null };
    const hosts = text.split(",").map((host) => relayUrl.parse(host.trim(), context));
    const values: string[] = [];
    for (const host of hosts) {
      if ("problem" in host) return host;
      values.push(host.value);
    }
    return { value: values.join(",") };
  },
  show: (value) => value,
  showHeld: (text) => relayUrl.showHeld(text),
};

/** Several are asked which repositories there are; a stream is read from one alone. */
export function hasSeveralHosts(relayUrlGiven: string | null): boolean {
  return relayUrlGiven?.includes(",") === true;
}

/** The value is in lower case, without a slash at the end; a given port stays, even the default one. */
function parseRelayUrl(text: string): Parsed<string> {
  if (!URL.canParse(text)) return { problem: "not a URL" };
  const { protocol, hostname, username, password, pathname } = new URL(text);
  if (protocol !== "wss:" && protocol !== "ws:") return { problem: "not a WebSocket URL" };
  if (username !== "" || password !== "" || text.includes("@")) return { problem: "no credentials here" };
  if (pathname !== "/" || /[?#\\]/.test(text)) return { problem: "no path or query here" };
  const port = /:(\d+)\/?$/.exec(text)?.[1];
  if (port !== undefined && Number(port) === 0) return { problem: "port 0 cannot be connected to" };
  if (!isLoopback(hostname)) {
    if (protocol === "ws:") return { problem: "unencrypted" };
    if (isIpLiteral(hostname)) return { problem: "an IP address, not a host name" };
  }
  return { value: `${protocol}//${hostname}${port === undefined ? "" : `:${Number(port)}`}` };
}
