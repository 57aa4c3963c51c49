/** @skyware/firehose: its own client, which decodes every block of every commit, including MST nodes. */
import { once } from "node:events";
import { Firehose } from "@skyware/firehose";
import { WebSocket } from "ws";
import type { Contender, DecodeFrame, ReadRelay } from "../contender.ts";

/** The client is never started; it only parses the frames that it gets. This stands in for the socket. */
class NoSocket extends EventTarget {
  close(): void {}
}

const parser = new Firehose({ ws: NoSocket as unknown as typeof WebSocket, autoReconnect: false });
/** Not part of its types, but it is all that lies between its socket and its listeners. */
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
