/**
 * The links of a batch, after its rows and in their transaction: they are compared with the chain that is stored with each repo. The
 * repos are locked, so nothing changes between looking and writing.
 */
import type { LinkRow } from "@firehose-backfill/sink/rows";
import type { ChainFindings } from "@firehose-backfill/sink/sink";
import { addLink, type Chain, NO_CHAIN, readChain, writeChain } from "./chain.ts";
import type { Session } from "./connection.ts";
import type { Statement } from "./pipeline.ts";

const STORED = `
  SELECT did, chain FROM firehose.repos
  WHERE did IN (SELECT value FROM json_array_elements_text($1::json)) AND chain IS NOT NULL`;

const KEEP = `
  UPDATE firehose.repos AS r SET chain = x.chain
  FROM json_to_recordset($1::json) AS x(did text, chain jsonb)
  WHERE r.did = x.did`;

export interface LinkPlan {
  readonly statements: readonly Statement[];
  /** Links that say something new. */
  readonly applied: number;
  readonly findings: ChainFindings;
}

export async function planLinks(session: Session, links: readonly LinkRow[]): Promise<LinkPlan> {
  const dids = [...new Set(links.map(({ did }) => did))];
  const [stored] = await session.run([{ sql: STORED, values: [JSON.stringify(dids)] }]);
  const chains = new Map<string, Chain>(
    (stored?.rows ?? []).map(([did, chain]) => [did ?? "", readChain(chain ?? null)]),
  );
  const changed = new Set<string>();
  const opened = new Map<string, ChainFindings["opened"][number]>();
  const closed = new Set<string>();
  let applied = 0;
  for (const link of links.toSorted((a, b) => (a.rev < b.rev ? -1 : Number(a.rev > b.rev)))) {
    const { did, rev, isSync } = link;
    const linked = addLink(chains.get(did) ?? NO_CHAIN, link);
    if (linked.chain !== chains.get(did) && linked.kind !== "stale") changed.add(did);
    if (linked.chain !== chains.get(did)) applied += 1;
    chains.set(did, linked.chain);
    if (linked.kind === "opened") {
      opened.set(did, { did, rev, reason: isSync ? "sync" : "chain" });
      closed.delete(did);
    }
    if (linked.isClosed) {
      opened.delete(did);
      closed.add(did);
    }
  }
  const rows = [...changed].map((did) => ({
    did,
    chain: JSON.parse(writeChain(chains.get(did) ?? NO_CHAIN)) as unknown,
  }));
  return {
    statements: rows.length === 0 ? [] : [{ sql: KEEP, values: [JSON.stringify(rows)] }],
    applied,
    findings: { opened: [...opened.values()], closed: [...closed] },
  };
}
