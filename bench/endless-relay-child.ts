/** The process that endless-relay.ts starts. It implements the server's half of WebSocket itself: unmasked binary frames. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import { benchFrames } from "./frames.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** The key `seq` and the head of an integer of eight bytes. */
const SEQ = Buffer.from("637365711b", "hex");
const FIRST_SEQ = 2 ** 33;
const BINARY = 0x82;

/** A part of the recording in its encoded form, and the offsets of its sequence numbers. */
interface Stretch {
  readonly bytes: Buffer;
  readonly seqsAt: readonly number[];
}

/** Small enough for the cache when the kernel copies it, so that a fast reader does not wait for the relay. */
const STRETCH_BYTES = 256 * 1024;

function wire(): readonly Stretch[] {
  const stretches: Stretch[] = [];
  let parts: Buffer[] = [];
  let seqsAt: number[] = [];
  let length = 0;
  const close = (): void => {
    if (length > 0) stretches.push({ bytes: Buffer.concat(parts), seqsAt });
    parts = [];
    seqsAt = [];
    length = 0;
  };
  for (const frame of benchFrames()) {
    const at = frame.indexOf(SEQ);
    if (at === -1) throw new Error("a frame without seq");
    const head = frameHead(frame.length);
    seqsAt.push(length + head.length + at + SEQ.length);
    parts.push(head, frame);
    length += head.length + frame.length;
    if (length >= STRETCH_BYTES) close();
  }
  close();
  return stretches;
}

function frameHead(length: number): Buffer {
  if (length < 126) return Buffer.from([BINARY, length]);
  const isShort = length < 2 ** 16;
  const head = Buffer.alloc(isShort ? 4 : 10);
  head.set([BINARY, isShort ? 126 : 127]);
  if (isShort) head.writeUInt16BE(length, 2);
  else head.writeUInt32BE(length, 6);
  return head;
}

const recording = wire();

async function serve(socket: Duplex, cursor: number): Promise<void> {
  let seq = cursor;
  for (;;) {
    for (const stretch of recording) {
      const bytes = Buffer.allocUnsafeSlow(stretch.bytes.length);
      bytes.set(stretch.bytes);
      for (const at of stretch.seqsAt) {
        seq++;
        bytes.writeUInt32BE(Math.floor(seq / 2 ** 32), at);
        bytes.writeUInt32BE(seq % 2 ** 32, at + 4);
      }
      socket.write(bytes);
      // The next stretch is prepared while this one is sent.
      if (socket.writableLength >= 2 * STRETCH_BYTES) await drainOrEnd(socket);
      if (socket.destroyed) return;
    }
  }
}

/** Unlike `once`, it does not reject when the reader breaks off. */
function drainOrEnd(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}

const server = createServer();
server.on("upgrade", (request, socket) => {
  socket.on("error", () => socket.destroy());
  socket.resume();
  const accept = createHash("sha1")
    .update(`${request.headers["sec-websocket-key"] ?? ""}${GUID}`)
    .digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  const cursor = Number(new URL(request.url ?? "/", "ws://relay").searchParams.get("cursor") ?? FIRST_SEQ);
  void serve(socket, cursor);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const address = server.address();
if (address === null || typeof address === "string") throw new Error("not a TCP port");
process.on("disconnect", () => process.exit(0));
process.send?.({ url: `ws://127.0.0.1:${address.port}`, cursor: FIRST_SEQ });
