/** One Snapshot as one line of JSON: `run --json`, `status --json` and `/status.json`. */
import type { Snapshot } from "./snapshot.ts";

export function renderJson(snapshot: Snapshot): string {
  return JSON.stringify(snapshot);
}
