/** A log file with a size limit: at the limit it is renamed to `NAME.1`, which replaces the one before. */
import { appendFileSync, renameSync, statSync } from "node:fs";

const LIMIT_BYTES = 4 * 1024 * 1024;

/** Synchronous, because the last lines of a server that dies are the important ones. */
export function boundedLog(path: string, limitBytes = LIMIT_BYTES): (text: string) => void {
  let size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return (text) => {
    try {
      if (size >= limitBytes) {
        renameSync(path, `${path}.1`);
        size = 0;
      }
      appendFileSync(path, text, { mode: 0o600 });
      size += Buffer.byteLength(text);
    } catch {
      // The disk is full: the server tells its clients, and a missing log line must not end the process.
    }
  };
}
