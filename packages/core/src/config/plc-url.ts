/** BACKFILL_PLC_URL: the directory of did:plc accounts. */
import { isLoopback } from "./hosts.ts";
import { type Kind, type Parsed, quoteHeld } from "./kinds.ts";

export const plcUrl: Kind<string> = {
  takes: "https://host[:port], or http:// for a host on loopback",
  parse: parsePlcUrl,
  show: (value) => value,
  showHeld: (text) => quoteHeld(text.replace(/\/\/[^/]*@/, "//***@")),
};

/** The value has no slash at its end. */
function parsePlcUrl(text: string): Parsed<string> {
  if (!URL.canParse(text)) return { problem: "not a URL" };
  const { protocol, hostname, origin, username, password, pathname } = new URL(text);
  if (protocol !== "https:" && protocol !== "http:") return { problem: "neither https nor http" };
  if (username !== "" || password !== "" || text.includes("@")) return { problem: "no credentials here" };
  if (pathname !== "/" || /[?#\\]/.test(text)) return { problem: "no path or query here" };
  if (protocol === "http:" && !isLoopback(hostname)) return { problem: "unencrypted" };
  return { value: origin };
}
