import { cidOf } from "@firehose-backfill/core/cid";
import type { LinkRow, SinkRow } from "@firehose-backfill/sink/rows";
import type { ApplyOptions, ChainFindings } from "@firehose-backfill/sink/sink";
import { rangeRow, request, revOf, sqlOn } from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";
import { describe, expect, it } from "vitest";

const DID = "did:plc:alice";
const rootOf = (n: number) => cidOf(Buffer.from(`root ${n}`));

function linkRow(n: number, fields: Partial<LinkRow> = {}): LinkRow {
  const before = { since: revOf(n - 1), prevData: rootOf(n - 1) };
  const base = { kind: "link", did: DID, seq: n, timeMs: 0, isSync: false } as const;
  return { ...base, rev: revOf(n), ...before, data: rootOf(n), ...fields };
}

describe("links of commits, and what walks have proved", () => {
  const its = useSink({ poolSize: 2 });

  /** Applies each row in a batch of its own, and returns what the chain says of it. */
  async function apply(rows: readonly SinkRow[], options: Partial<ApplyOptions> = {}) {
    const said: string[] = [];
    const onChain = async ({ opened, closed }: ChainFindings) => {
      for (const { rev } of opened) said.push(`gap before ${rev}`);
      for (const { provedRev } of closed) said.push(`closed after ${provedRev}`);
    };
    for (const row of rows) {
      const result = await its.sink.apply(...request([row], { collections: [], ...options, onChain }));
      expect(result.kind).toBe("applied");
    }
    return said;
  }

  const stretches = () => sqlOn(its.sink, "SELECT jsonb_array_length(chain->'stretches') FROM firehose.repos");
  const wholeRange = (n: number) => rangeRow(n, [], { collection: null, from: "", to: "\u007f" });

  it("issue 16.2: a gap that a resync has filled is gone: a later one that closes withdraws its request", async () => {
    expect(await apply([linkRow(1), linkRow(3)])).toEqual([`gap before ${revOf(3)}`]);
    // Without a resync the first gap stays, so nothing is closed.
    expect(await apply([linkRow(5), linkRow(4)])).toEqual([`gap before ${revOf(5)}`]);
    expect(await apply([wholeRange(6)], { isRepair: true })).toEqual([]);
    expect(await apply([linkRow(8), linkRow(7)])).toEqual([`gap before ${revOf(8)}`, `closed after ${revOf(6)}`]);
    expect(await stretches()).toEqual([["1"]]);
  });

  it("issue 16.2: what the walk has read opens no gap when it is missing in the stream", async () => {
    await apply([linkRow(1), linkRow(2), wholeRange(5)]);
    expect(await apply([linkRow(6), linkRow(8)])).toEqual([`gap before ${revOf(8)}`]);
  });

  it("issue 16.2: a walk that has not yet proved every wanted key fills no gap", async () => {
    const posts = { collections: ["app.bsky.feed.post", "app.bsky.graph.*"] };
    expect(await apply([linkRow(1), linkRow(3)], posts)).toHaveLength(1);
    const parts = [
      rangeRow(4, []),
      rangeRow(4, [], { collection: null, from: "app.bsky.graph.", to: "app.bsky.graph.follow/" }),
      rangeRow(4, [], { collection: "app.bsky.graph.follow", to: "app.bsky.graph.follow/x" }),
      rangeRow(5, [], { collection: "app.bsky.graph.follow", from: "app.bsky.graph.follow/x", to: "app.bsky.graph/" }),
    ];
    for (const [index, part] of parts.entries()) {
      await apply([part], { ...posts, isRepair: true });
      await apply([linkRow(3)], posts);
      expect({ index, left: await stretches() }).toEqual({ index, left: [[index === 3 ? "1" : "2"]] });
    }
    // A run that writes more than the walk has read still has its gap.
    expect(await apply([linkRow(6)])).toEqual([`gap before ${revOf(6)}`]);
  });

  it("issue 16.2: a walk of the records of some days proves nothing of older ones", async () => {
    await apply([linkRow(1), linkRow(3), { ...wholeRange(4), sinceTid: "3kaaaaaaaaa2a" }]);
    expect(await apply([linkRow(5)])).toEqual([`gap before ${revOf(5)}`]);
  });
});
