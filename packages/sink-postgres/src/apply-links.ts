/**
 * Applies the links of a batch after its rows, in the same transaction. It compares them with the chain that is stored for each
 * repository. The repositories are locked, so nothing changes between reading and writing.
 */
import { wantedIntervals } from "@firehose-backfill/core/key-interval";
import type { LinkRow } from "@firehose-backfill/sink/rows";
import type { ChainFindings } from "@firehose-backfill/sink/sink";
import { addLink, type Chain, readChain } from "./chain.ts";
import type { Session } from "./connection.ts";
import type { Statement } from "./pipeline.ts";
import { provedRevOf } from "./proved-keys.ts";
import { readProved } from "./range-statements.ts";

const STORED = `
  SELECT did, chain, proved FROM firehose.repos
  WHERE did IN (SELECT value FROM json_array_elements_text($1::json)) AND chain IS NOT NULL`;

const KEEP = `
  UPDATE firehose.repos AS r SET chain = x.chain
  FROM json_to_recordset($1::json) AS x(did text, chain jsonb)
  WHERE r.did = x.did`;

export interface LinkPlan {
  readonly statements: readonly Statement[];
  /** The number of links that changed a chain. */
  readonly applied: number;
  readonly findings: ChainFindings;
}

/** `collections`: the filter of the run. Left out: it is not known what a walk must have proved to fill a gap. */
export async function planLinks(
  session: Session,
  links: readonly LinkRow[],
  { runId, collections }: { readonly runId: string; readonly collections?: readonly string[] | undefined },
): Promise<LinkPlan> {
  const dids = [...new Set(links.map(({ did }) => did))];
  const [stored] = await session.run([{ sql: STORED, values: [JSON.stringify(dids)] }]);
  const chains = new Map<string, Chain>();
  const provedRevs = new Map<string, string>();
  const wanted = collections === undefined ? null : wantedIntervals(collections);
  for (const [did, chain, proved] of stored?.rows ?? []) {
    if (chain !== null) chains.set(did ?? "", readChain(chain ?? ""));
    const rev = wanted === null || proved === null ? null : provedRevOf(readProved(proved ?? null), wanted);
    if (rev !== null) provedRevs.set(did ?? "", rev);
  }
  const changed = new Map<string, Chain>();
  const opened = new Map<string, ChainFindings["opened"][number]>();
  const closed = new Map<string, ChainFindings["closed"][number]>();
  let applied = 0;
  for (const link of links.toSorted((a, b) => (a.rev < b.rev ? -1 : Number(a.rev > b.rev)))) {
    const { did } = link;
    const provedRev = provedRevs.get(did) ?? null;
    const before = chains.get(did) ?? null;
    const { chain, isStale, gap, isClosed } = addLink(before, link, runId, provedRev);
    if (!isStale) applied += 1;
    // A stale link, too, may be the first one that is seen after a walk.
    if (chain !== before) {
      chains.set(did, chain);
      changed.set(did, chain);
    }
    if (gap !== null) {
      opened.set(did, { did, rev: gap.firstRev, reason: gap.isSync ? "sync" : "chain" });
      closed.delete(did);
    }
    if (isClosed) {
      opened.delete(did);
      closed.set(did, { did, provedRev });
    }
  }
  const rows = [...changed].map(([did, chain]) => ({ did, chain }));
  return {
    statements: rows.length === 0 ? [] : [{ sql: KEEP, values: [JSON.stringify(rows)] }],
    applied,
    findings: { opened: [...opened.values()], closed: [...closed.values()] },
  };
}
