/** What an experienced user would write with @atcute: batches of 500 rows, one insert for each, with the socket paused meanwhile. */
import { fromUint8Array } from "@atcute/car";
import { type Bytes, type CidLink, decode, decodeFirst, fromBytes, toCidLink } from "@atcute/cbor";
import { WebSocket } from "ws";
import { connectDriver } from "../driver.ts";
import type { ApplyRelay, Contender } from "./contender.ts";

const BATCH = 500;
const UPSERT = `insert into firehose.records (did, collection, rkey, cid, rev, seq, record, indexed_at)
  select did, collection, rkey, cid, rev, seq, record, time from jsonb_to_recordset($1::jsonb)
    as x(did text, collection text, rkey text, cid text, rev text, seq bigint, record jsonb, time timestamptz)
  on conflict (did, collection, rkey) do update set cid = excluded.cid, rev = excluded.rev, seq = excluded.seq,
    record = excluded.record, indexed_at = excluded.indexed_at`;
const DELETE = `delete from firehose.records r using jsonb_to_recordset($1::jsonb) as x(did text, collection text, rkey text)
  where r.did = x.did and r.collection = x.collection and r.rkey = x.rkey`;

interface Commit {
  readonly seq: number;
  readonly repo: string;
  readonly rev: string;
  readonly time: string;
  readonly blocks: Bytes;
  readonly ops: readonly { readonly action: string; readonly path: string; readonly cid: CidLink | null }[];
}

const apply: ApplyRelay = async ({ url, databaseUrl, headSeq }) => {
  const client = await connectDriver(databaseUrl);
  const ended = Promise.withResolvers<void>();
  const socket = new WebSocket(`${url}/xrpc/com.atproto.sync.subscribeRepos?cursor=0`, { perMessageDeflate: false });
  /** By key, because a statement cannot contain one twice. A null record is a delete. */
  let batch = new Map<string, object>();
  let isFlushing = false;
  let events = 0;

  const flush = async (): Promise<void> => {
    if (isFlushing) return;
    isFlushing = true;
    socket.pause();
    while (batch.size > 0) {
      const rows = [...batch.values()];
      batch = new Map();
      const upserts = rows.filter((row) => "record" in row);
      const deletes = rows.filter((row) => !("record" in row));
      const text = JSON.stringify(upserts).replaceAll("\\u0000", "");
      if (upserts.length > 0) await client.query(UPSERT, [text]);
      if (deletes.length > 0) await client.query(DELETE, [JSON.stringify(deletes)]);
    }
    isFlushing = false;
    socket.resume();
  };

  socket.on("message", (data) => {
    if (!Buffer.isBuffer(data)) return;
    const [header, rest] = decodeFirst(data) as [{ readonly t: string }, Uint8Array];
    const [payload] = decodeFirst(rest);
    const { seq } = payload as { readonly seq: number };
    if (header.t === "#commit") {
      const commit = payload as Commit;
      events += commit.ops.length;
      for (const row of rowsOf(commit)) batch.set(row.key, row.row);
    } else events++;
    if (seq >= headSeq) void flush().then(() => ended.resolve());
    else if (batch.size >= BATCH) flush().catch(ended.reject);
  });
  socket.on("error", ended.reject);
  await ended.promise;
  socket.terminate();
  await client.end();
  return events;
};

function rowsOf({ seq, repo: did, rev, time, blocks, ops }: Commit): { readonly key: string; readonly row: object }[] {
  const byCid = new Map<string, Uint8Array>();
  for (const { cid, bytes } of fromUint8Array(fromBytes(blocks))) byCid.set(toCidLink(cid).$link, bytes);
  return ops.map(({ path, cid }) => {
    const [collection = "", rkey = ""] = path.split("/");
    const key = `${did}/${path}`;
    const bytes = cid === null ? undefined : byCid.get(cid.$link);
    if (cid === null || bytes === undefined) return { key, row: { did, collection, rkey } };
    return { key, row: { did, collection, rkey, cid: cid.$link, rev, seq, record: decode(bytes), time } };
  });
}

export const contender: Contender = { name: "@atcute, inserts of 500", apply };
