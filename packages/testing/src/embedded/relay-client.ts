/** A subscriber for the relay's tests: collects frames until it has enough, or the relay closes. */
import { WebSocket } from "ws";

export interface Subscription {
  readonly frames: Uint8Array[];
  /** null: the client had enough and closed the connection itself. */
  readonly closeCode: number | null;
}

export async function readFrames(url: string, enough: number = Number.POSITIVE_INFINITY): Promise<Subscription> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const frames: Uint8Array[] = [];
  return await new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (data: Buffer) => {
      frames.push(data);
      if (frames.length < enough) return;
      // Messages that arrived in the same read would still be emitted.
      socket.removeAllListeners("message");
      socket.removeAllListeners("close");
      socket.terminate();
      resolve({ frames, closeCode: null });
    });
    socket.on("close", (closeCode) => resolve({ frames, closeCode }));
  });
}
