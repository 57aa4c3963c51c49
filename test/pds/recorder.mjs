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
 * Reads along from now on.
 * @param {string} relayUrl
 * @returns {Promise<{ upTo: (headSeq: number) => Promise<Uint8Array[]> }>} `upTo` waits for that frame, and ends the reading
 */
export async function followFrames(relayUrl) {
  const frames = [];
  const socket = new WebSocket(`${relayUrl}/xrpc/com.atproto.sync.subscribeRepos`);
  socket.binaryType = "arraybuffer";
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("no connection to the PDS")));
  });
  let look = () => {};
  socket.addEventListener("message", ({ data }) => {
    frames.push(new Uint8Array(data));
    look();
  });
  return {
    upTo: (headSeq) =>
      new Promise((resolve, reject) => {
        socket.addEventListener("close", () => reject(new Error(`the PDS closed before seq ${headSeq}`)));
        look = () => {
          if ((seqOf(frames.at(-1) ?? Buffer.of(0xa0, 0xa0)) ?? 0) < headSeq) return;
          resolve(frames);
          socket.close();
        };
        look();
      }),
  };
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
