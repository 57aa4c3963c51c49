/** A plain `ws` client, as used by programs that decode frames themselves: every message goes to a function, as fast as the socket allows. */
import { once } from "node:events";
import { WebSocket } from "ws";
import type { DecodeFrame, ReadRelay } from "./contender.ts";

/** A decoder behind a plain `ws` client. An asynchronous decoder gets the next frame when it has finished the last one. */
export function readingWith(decode: DecodeFrame): ReadRelay {
  return async (url, cursor, tally, signal) => {
    const socket = new WebSocket(`${url}/xrpc/com.atproto.sync.subscribeRepos?cursor=${cursor}`, {
      perMessageDeflate: false,
    });
    socket.on("message", (data) => {
      if (signal.aborted || !Buffer.isBuffer(data)) return;
      tally.frames++;
      const records = decode(data);
      if (typeof records === "number") tally.records += records;
      else {
        socket.pause();
        void records.then((count) => {
          tally.records += count;
          socket.resume();
        });
      }
    });
    await once(socket, "open");
    if (!signal.aborted) await once(signal, "abort");
    socket.terminate();
  };
}
