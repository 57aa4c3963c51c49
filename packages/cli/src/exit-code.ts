/** The exit codes for scripts: 0 done or cancelled, 1 error, 2 usage or configuration, 3 done with dead events or differences, 130/143 signals. */
import { constants } from "node:os";

export const EXIT = { ok: 0, error: 1, usage: 2, dead: 3, differs: 3 } as const;

export type StopSignal = "SIGINT" | "SIGTERM";

export function exitCodeOfSignal(signal: StopSignal): number {
  return 128 + constants.signals[signal];
}
