/** The PDS's frames as they are. */
import { writeFile } from "node:fs/promises";
import { seqOf } from "../../packages/embedded/src/relay-frame.ts";

/**
 * Everything that the PDS keeps, up to `headSeq`.
 * @param {string} relayUrl
 * @param {number} headSeq
 * @returns {Promise<Uint8Array[]>}
 */
export function readFrames(relayUrl, headSeq) {
  return new Promise((resolve, reject) => {
    const frames = [];
    const socket = new WebSocket(`${relayUrl}/xrpc/com.atproto.sync.subscribeRepos?cursor=0`);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      const frame = new Uint8Array(data);
      frames.push(frame);
      if ((seqOf(frame) ?? 0) < headSeq) return;
      socket.close();
      resolve(frames);
    });
    socket.addEventListener("close", () => reject(new Error(`the PDS closed before seq ${headSeq}`)));
    socket.addEventListener("error", () => reject(new Error("no connection to the PDS")));
  });
}

/**
 * Repeated `[u32 little-endian length][frame]`, as test/fixtures has it.
 * @param {string} file
 * @param {readonly Uint8Array[]} frames
 */
export async function writeFrames(file, frames) {
  const parts = frames.flatMap((frame) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(frame.length);
    return [length, frame];
  });
  await writeFile(file, Buffer.concat(parts));
}
