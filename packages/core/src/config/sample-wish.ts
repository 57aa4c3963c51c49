/** Whether the bundled sample may be replayed: into the embedded database always, into another one only when it is asked for. */
import type { Config } from "./settings.ts";

/**
 * What is wrong with a start that would replay the sample; null: nothing is. A lost or forgotten RELAY_URL must not fill
 * somebody's database with a recording.
 */
export function unwishedSample({ settings, sources }: Pick<Config, "settings" | "sources">): string | null {
  // Repositories are read without a relay.
  if (settings.source === "repos") return null;
  const isUnwished = settings.relayUrl === null && sources.relayUrl === "default" && settings.databaseUrl !== null;
  return isUnwished
    ? "RELAY_URL is not set, but DATABASE_URL is. The bundled sample is replayed into your own database only if you ask for it. Set RELAY_URL to the host to read (such as wss://bsky.network), or RELAY_URL=sample for the sample"
    : null;
}
