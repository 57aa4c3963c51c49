/**
 * Tells systemd that the service is ready and alive, if the unit has `Type=notify`. If systemd hears nothing for too long, its
 * watchdog kills and restarts the service; nothing is lost by that.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { headlineText } from "@firehose-backfill/status/headline";

export interface ServiceManager {
  /** Called about once a second while the process does its work. The first call says that it is ready. */
  alive(snapshot: Snapshot): void;
  stopping(): void;
}

/** In the format of sd_notify(3): `READY=1`, `WATCHDOG=1`, `STATUS=…`. */
export type Notify = (states: readonly string[]) => void;

const STATUS_EVERY_MS = 30_000;
const STATUS_CHARS = 200;

/** Without NOTIFY_SOCKET, which systemd sets, it does nothing. */
export function createServiceManager(
  env: Readonly<Record<string, string | undefined>>,
  { clock, notify }: { readonly clock: Clock; readonly notify: Notify },
): ServiceManager {
  if ((env["NOTIFY_SOCKET"] ?? "") === "") return { alive: () => {}, stopping: () => {} };
  // Half of the watchdog's time, as sd_watchdog_enabled(3) advises; the status is also sent without a watchdog.
  const watchdogMs = Number(env["WATCHDOG_USEC"] ?? "0") / 1000;
  const everyMs = watchdogMs > 0 ? Math.min(STATUS_EVERY_MS, watchdogMs / 2) : STATUS_EVERY_MS;
  let saidAtMs: number | null = null;
  return {
    alive(snapshot) {
      const nowMs = clock.now();
      if (saidAtMs !== null && nowMs - saidAtMs < everyMs) return;
      const status = `STATUS=${escapeForLog(headlineText(snapshot), STATUS_CHARS)}`;
      notify([saidAtMs === null ? "READY=1" : "WATCHDOG=1", status]);
      saidAtMs = nowMs;
    },
    stopping: () => notify(["STOPPING=1"]),
  };
}
