/** The limits of a deployment: concurrency and memory may be set lower than deployed, never higher. Pure. */
import type { Config, ThrottleSettings } from "@firehose-backfill/core/config/settings";
import type { DeployedLimits } from "./deps.ts";

export function clampConfig(limits: DeployedLimits | null, config: Config): Config {
  return { ...config, settings: { ...config.settings, ...clamp(limits, config.settings).throttle } };
}

/** The deployed values are upper bounds: a higher value needs a new deploy. */
export function clamp<T extends ThrottleSettings>(
  limits: DeployedLimits | null,
  throttle: T,
): { throttle: T; clamped: readonly string[] } {
  if (limits === null) return { throttle, clamped: [] };
  const clamped: string[] = [];
  const bound = (key: "maxConcurrent" | "maxMemoryMb", name: string): number => {
    if (throttle[key] <= limits[key]) return throttle[key];
    clamped.push(`${name} stays at the deployed ${limits[key]}: ${throttle[key]} needs a deploy`);
    return limits[key];
  };
  const maxConcurrent = bound("maxConcurrent", "BACKFILL_MAX_CONCURRENT");
  const maxMemoryMb = bound("maxMemoryMb", "BACKFILL_MAX_MEMORY_MB");
  return { throttle: { ...throttle, maxConcurrent, maxMemoryMb }, clamped };
}

/** The clamped settings, to be added to a sentence. */
export function notesOf(clamped: readonly string[]): string {
  return clamped.map((note) => `; ${note}`).join("");
}
