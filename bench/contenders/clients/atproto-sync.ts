/** @atproto/sync, unauthenticated: no signatures, but lexicon validation and the hashes of all blocks are always on. */
import { once } from "node:events";
import { createRequire } from "node:module";
import { Firehose, parseCommitUnauthenticated } from "@atproto/sync";
import type { Contender, DecodeFrame, ReadRelay } from "../contender.ts";

type CommitEvent = Parameters<typeof parseCommitUnauthenticated>[0];
interface StreamFrame {
  readonly header: { readonly t?: string };
  readonly body: CommitEvent;
}

const own = createRequire(import.meta.resolve("@atproto/sync"));
const { Frame } = (await import(own.resolve("@atproto/xrpc-server"))) as {
  readonly Frame: { fromBytes(bytes: Uint8Array): StreamFrame };
};

type Options = ConstructorParameters<typeof Firehose>[0];
/** Never called for the frames of this benchmark. */
const NO_RESOLVER = {} as Options["idResolver"];

/** Without validation against the lexicon, which only the client does. */
const records: DecodeFrame = async (bytes) => {
  const { header, body } = Frame.fromBytes(bytes);
  if (header.t !== "#commit") return 0;
  const events = await parseCommitUnauthenticated(body);
  return events.filter(({ event }) => event !== "delete").length;
};

/** Counts the events that it emits; identity frames are excluded, because it would resolve them. */
const read: ReadRelay = async (url, cursor, tally, signal) => {
  let lastSeq = cursor;
  const firehose = new Firehose({
    service: url,
    unauthenticatedCommits: true,
    excludeIdentity: true,
    idResolver: NO_RESOLVER,
    getCursor: () => lastSeq,
    handleEvent: (event) => {
      if (event.seq !== lastSeq) tally.frames++;
      lastSeq = event.seq;
      if (event.event === "create" || event.event === "update") tally.records++;
    },
    onError: () => undefined,
  });
  void firehose.start();
  if (!signal.aborted) await once(signal, "abort");
  await firehose.destroy();
};

export const contender: Contender = {
  name: "@atproto/sync",
  decode: { hashed: records },
  read: { hashed: read },
};
