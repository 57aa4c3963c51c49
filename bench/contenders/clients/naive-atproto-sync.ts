/** What a user of @atproto/sync writes after its documentation: its client, and one awaited insert for each event. No restart, no pace. */
import { Firehose } from "@atproto/sync";
import { connectDriver } from "../../driver.ts";
import type { ApplyRelay, Contender } from "../contender.ts";

const UPSERT = `insert into firehose.records (did, collection, rkey, cid, rev, seq, record, indexed_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
  on conflict (did, collection, rkey) do update set cid = excluded.cid, rev = excluded.rev, seq = excluded.seq,
    record = excluded.record, indexed_at = excluded.indexed_at`;
const DELETE = "delete from firehose.records where did = $1 and collection = $2 and rkey = $3";

type Options = ConstructorParameters<typeof Firehose>[0];

const apply: ApplyRelay = async ({ url, databaseUrl, headSeq }) => {
  const client = await connectDriver(databaseUrl);
  const ended = Promise.withResolvers<void>();
  let events = 0;
  const firehose = new Firehose({
    service: url,
    unauthenticatedCommits: true,
    excludeIdentity: true,
    idResolver: {} as Options["idResolver"],
    getCursor: () => 0,
    handleEvent: async (event) => {
      events++;
      if (event.event === "create" || event.event === "update") {
        const { did, collection, rkey, cid, rev, seq, record, time } = event;
        const json = JSON.stringify(record).replaceAll("\\u0000", "");
        await client.query(UPSERT, [did, collection, rkey, cid.toString(), rev, seq, json, time]);
      } else if (event.event === "delete") await client.query(DELETE, [event.did, event.collection, event.rkey]);
      if (event.seq >= headSeq) ended.resolve();
    },
    onError: (error) => ended.reject(error),
  });
  void firehose.start();
  await ended.promise;
  await firehose.destroy();
  await client.end();
  return events;
};

export const contender: Contender = { name: "@atproto/sync, an insert an event", apply };
