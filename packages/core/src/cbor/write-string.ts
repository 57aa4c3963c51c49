/** Writes a text or a byte string in CBOR, copied from another buffer. */
import { writeHead } from "./head.ts";

export const BYTES = 2;
export const TEXT = 3;
/** From this length on, the native copy is faster than the loop. */
const NATIVE_FROM_BYTES = 48;

/** Returns where it ends. */
export function writeString(
  target: Buffer,
  at: number,
  major: typeof TEXT | typeof BYTES,
  source: Buffer,
  start: number,
  end: number,
): number {
  const to = writeHead(target, at, major, end - start);
  if (end - start >= NATIVE_FROM_BYTES) source.copy(target, to, start, end);
  else for (let from = start; from < end; from++) target[to + from - start] = source[from] ?? 0;
  return to + end - start;
}
