/** Whether the bundled sample may be replayed: into the embedded database always, into another one only on request. */
import type { Config } from "./settings.ts";

/**
 * The problem with a start that would replay the sample; null: there is none. A forgotten RELAY_URL must not fill a user's
 * database with a recording.
 */
export function unwishedSample({ settings, sources }: Pick<Config, "settings" | "sources">): string | null {
  // Repositories and handles are read without a relay.
  if (settings.source === "repos" || settings.source === "handles") return null;
  const isUnwished = settings.relayUrl === null && sources.relayUrl === "default" && settings.databaseUrl !== null;
  return isUnwished
    ? "RELAY_URL is not set, but DATABASE_URL is. The bundled sample is replayed into your own database only if you ask for it. Set RELAY_URL to the host to read (such as wss://bsky.network), or RELAY_URL=sample for the sample"
    : null;
}
