/** The settings that `tune` may change while a run is running, in a useful order, with texts for people. */
import { definitionOf } from "@firehose-backfill/core/config/definitions";
import { THROTTLE_KEYS } from "@firehose-backfill/core/config/groups";
import type { ThrottleSettings } from "@firehose-backfill/core/config/settings";

export interface Tunable {
  /** By its name in the environment, the command line and the control event. */
  readonly name: string;
  readonly label: string;
  readonly kind: "number" | "flag";
  /** `a whole number from 1 to 1000` */
  readonly takes: string;
}

const LABELS = {
  batchDelayMs: "Batch delay, ms",
  batchSize: "Batch size, events",
  maxConcurrent: "Batches at once",
  maxMemoryMb: "Memory limit, MB",
  dbPoolSize: "Connections",
  memoryCheckInterval: "Events a memory check",
  useIdle: "Yield when idle",
} as const satisfies Record<keyof ThrottleSettings, string>;

/** A function, because an import must do no work. */
export function tunableSettings(): readonly Tunable[] {
  const order = Object.keys(LABELS);
  return THROTTLE_KEYS.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)).map((key) => ({
    name: definitionOf(key).name,
    label: LABELS[key],
    kind: key === "useIdle" ? "flag" : "number",
    takes: definitionOf(key).kind.takes,
  }));
}
