/** @skyware/firehose: its own client, which decodes every block of every commit, MST nodes included. */
import { once } from "node:events";
import { Firehose } from "@skyware/firehose";
import { WebSocket } from "ws";
import type { Contender, DecodeFrame, ReadRelay } from "./contender.ts";

/** Never started: it parses what it is given. The socket is a stand-in. */
class NoSocket extends EventTarget {
  close(): void {}
}

const parser = new Firehose({ ws: NoSocket as unknown as typeof WebSocket, autoReconnect: false });
/** Not part of its types, but all there is between its socket and its listeners. */
const { parseMessage } = parser as unknown as { parseMessage(data: Uint8Array): Promise<Message> };

interface Message {
  readonly $type: string;
  readonly ops: readonly { readonly action: string }[];
}

const records: DecodeFrame = async (frame) => {
  const message = await parseMessage(frame);
  if (message.$type !== "com.atproto.sync.subscribeRepos#commit") return 0;
  return message.ops.filter(({ action }) => action !== "delete").length;
};

const read: ReadRelay = async (url, cursor, tally, signal) => {
  const firehose = new Firehose({ relay: url, cursor: String(cursor), ws: WebSocket, autoReconnect: false });
  const count = (records = 0): void => {
    tally.frames++;
    tally.records += records;
  };
  firehose.on("commit", ({ ops }) => count(ops.filter(({ action }) => action !== "delete").length));
  firehose.on("account", () => count());
  firehose.on("identity", () => count());
  firehose.on("sync", () => count());
  firehose.start();
  if (!signal.aborted) await once(signal, "abort");
  firehose.close();
};

export const contender: Contender = { name: "@skyware/firehose", decode: { records }, read: { records: read } };
