/** BACKFILL_NOTIFY_URL: everybody who knows such an address can write to its channel, so it is never shown. */
import { isLoopback } from "./hosts.ts";
import { type Kind, withheld } from "./kinds.ts";

export const webhookUrl: Kind<string> = withheld({
  takes: "https://host/path, or http:// for a host on loopback",
  parse: (text) => {
    if (!URL.canParse(text)) return { problem: "not a URL" };
    const url = new URL(text);
    if (url.protocol !== "https:" && url.protocol !== "http:") return { problem: "not an HTTP URL" };
    if (url.protocol === "http:" && !isLoopback(url.hostname)) return { problem: "unencrypted" };
    if (url.username !== "" || url.password !== "") return { problem: "no credentials before the host" };
    return { value: url.href };
  },
  show: () => null,
  showHeld: () => "(withheld)",
});
