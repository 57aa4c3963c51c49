/** Parses files of recorded frames: repeated `[u32 little-endian length][frame]`. */

/** Returns views into `bytes`. @throws RangeError for an incomplete file */
export function* readFrameFile(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    const start = at + 4;
    const end = start + view.getUint32(at, true);
    if (end > bytes.length) throw new RangeError(`the frame at byte ${at} is cut short`);
    yield bytes.subarray(start, end);
    at = end;
  }
}
