/** A log file that cannot fill the disk: at the limit it becomes `NAME.1`, in place of the one before. */
import { appendFileSync, renameSync, statSync } from "node:fs";

const LIMIT_BYTES = 4 * 1024 * 1024;

/** Synchronous: the last lines of a server that dies are the ones that matter. */
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
      // A full disk: the server says so to its clients; nobody may die for want of a log line.
    }
  };
}
