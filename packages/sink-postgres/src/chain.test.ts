import type { LinkRow } from "@firehose-backfill/sink/rows";
import { cidOf } from "@firehose-backfill/core/cid";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addLink, type Chain, type Linked, MAX_STRETCHES, readChain } from "./chain.ts";

const root = (n: number) => cidOf(Buffer.from(`root ${n}`));
const rev = (n: number) => `3l${String(n).padStart(11, "0")}`;

function link(n: number, fields: Partial<LinkRow> = {}): LinkRow {
  const before = { since: n === 0 ? null : rev(n - 1), prevData: n === 0 ? null : root(n - 1) };
  return {
    kind: "link",
    seq: n + 1,
    timeMs: 0,
    did: "did:plc:a",
    rev: rev(n),
    ...before,
    data: root(n),
    isSync: false,
    ...fields,
  };
}

const sync = (n: number, data = root(n)) => link(n, { since: null, prevData: null, data, isSync: true });

/** Returns the result of each link and the final chain. The chain is stored and read between links, as the sink does it. */
function follow(links: readonly LinkRow[]) {
  const said: string[] = [];
  let chain: Chain | null = null;
  for (const one of links) {
    const { gap, isClosed, isStale, chain: next } = addLink(chain, one, "run");
    said.push(isClosed ? "closed" : gap !== null ? `before ${gap.firstRev}` : isStale ? "stale" : "connected");
    chain = readChain(JSON.stringify(next));
  }
  if (chain === null) throw new Error("no link");
  return { said, chain, gaps: chain.stretches.length - 1 };
}

describe("the chain of a repository", () => {
  it("issue 16.1: takes the first link as its base, follows, and skips what it has", () => {
    const { said, gaps } = follow([link(3), link(4), link(4), link(3), link(5)]);
    expect(said).toEqual(["connected", "connected", "stale", "stale", "connected"]);
    expect(gaps).toBe(0);
  });

  it("issue 16.1: a commit that is missing is noticed by the next one, once; applied again it says the same", () => {
    expect(follow([link(0), link(2), link(3), link(2), link(3)]).said).toEqual([
      "connected",
      `before ${rev(2)}`,
      "connected",
      `before ${rev(2)}`,
      "stale",
    ]);
    expect(follow([link(0), link(2), link(1)]).said).toEqual(["connected", `before ${rev(2)}`, "closed"]);
  });

  it("issue 16.1: the same revision before it with another root, and a commit that names none, do not connect", () => {
    expect(follow([link(0), link(1, { prevData: root(9) })]).said[1]).toBe(`before ${rev(1)}`);
    expect(follow([link(0), link(1, { since: null, prevData: null })]).said[1]).toBe(`before ${rev(1)}`);
    expect(follow([link(0), link(1, { prevData: null })]).said[1]).toBe("connected");
  });

  it("issue 16.1: a #sync connects to the same root, and to no other", () => {
    expect(follow([link(0), sync(1, root(0)), link(2, { prevData: root(0) })]).said).toEqual([
      "connected",
      "connected",
      "connected",
    ]);
    expect(follow([link(0), sync(1), link(2)]).said).toEqual(["connected", `before ${rev(1)}`, "connected"]);
    expect(follow([sync(1), link(2)]).gaps).toBe(0);
  });

  it("issue 16.1: a #sync that repeats the last commit leaves no gap, in whatever order both come", () => {
    const links = [link(0), link(1), sync(1), link(2)];
    const orders = (left: readonly LinkRow[]): LinkRow[][] =>
      left.length === 0
        ? [[]]
        : left.flatMap((first) => orders(left.filter((one) => one !== first)).map((rest) => [first, ...rest]));
    for (const order of orders(links)) {
      const { said, gaps } = follow(order);
      const shown = order.map(({ rev: its, isSync }) => `${isSync ? "#sync" : "commit"} ${its}`);
      expect({ shown, gaps }).toEqual({ shown, gaps: 0 });
      // Where a gap was seen, it is said that it has closed.
      expect(said.findLast((word) => word.startsWith("before") || word === "closed") ?? "closed").toBe("closed");
    }
    // The commit that the #sync repeats shows that one before it is missing; applied again it says the same.
    expect(follow([link(0), sync(2), link(2), link(2)]).said.slice(2)).toEqual([
      `before ${rev(2)}`,
      `before ${rev(2)}`,
    ]);
  });

  it("issue 16.1: older links of the same run are on their way, those of another run are not compared", () => {
    expect(follow([link(3), link(1), link(2)]).said).toEqual(["connected", `before ${rev(3)}`, "closed"]);
    expect(follow([link(3), link(1), link(1)]).said.at(-1)).toBe(`before ${rev(3)}`);
    const { chain } = follow([link(3)]);
    expect(addLink(chain, link(1), "another run")).toEqual({ chain, isStale: true, gap: null, isClosed: false });
    expect(addLink(chain, link(4), "another run")).toMatchObject({ isStale: false, gap: null });
  });

  it("issue 16.1: in any order, some twice, what is missing is missing and nothing else", () => {
    const scenes = fc
      .record({
        count: fc.integer({ min: 14, max: 20 }),
        lost: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 8 }),
      })
      .chain(({ count, lost }) => {
        const sent = Array.from({ length: count }, (_, n) => n).filter((n) => !lost.includes(n) && n > 0);
        const again = sent.slice(0, 4);
        return fc.record({
          at: fc.nat(),
          sent: fc.constant(sent),
          order: fc.shuffledSubarray([...sent, ...again], { minLength: sent.length + again.length }),
        });
      });
    fc.assert(
      fc.property(scenes, ({ at, sent, order }) => {
        const { gaps, chain } = follow(order.toSpliced(at % order.length, 0, 0).map((n) => link(n)));
        expect(gaps).toBe(sent.filter((n) => n > 1 && !sent.includes(n - 1)).length);
        expect(chain.stretches.at(-1)?.rev).toBe(rev(sent.at(-1) ?? 0));
      }),
      { numRuns: 500, seed: 161 },
    );
  });

  it("issue 16.1: keeps a limited number of gaps, and after that never says that all have closed", () => {
    const links = Array.from({ length: 40 }, (_, n) => link(2 * n));
    const { chain } = follow(links);
    expect(chain).toMatchObject({ isCut: true, stretches: { length: MAX_STRETCHES } });
    expect(chain.stretches.at(-1)?.rev).toBe(rev(78));
    const odd = Array.from({ length: 40 }, (_, n) => link(2 * n + 1));
    expect(follow([...links, ...odd]).said).not.toContain("closed");
  });

  it("issue 16.2: where a walk has proved the repository the chain begins anew: what was missing before is no gap any longer", () => {
    const broken = follow([link(0), link(2), link(5)]).chain;
    expect(broken.stretches).toHaveLength(3);
    // Proved at the commit after the last gap, at the one before that commit, or later.
    for (const provedRev of [rev(4), rev(5), rev(7)]) {
      const next = addLink(broken, link(8), "another run", provedRev);
      expect(next.chain).toMatchObject({ isCut: false, stretches: { length: provedRev === rev(7) ? 1 : 2 } });
      expect(next.gap?.firstRev ?? null).toBe(provedRev === rev(7) ? null : rev(8));
    }
    // Proved between the two gaps: the second one is still there.
    const half = addLink(broken, link(6), "run", rev(2)).chain;
    expect(half.stretches.map(({ firstRev }) => firstRev)).toEqual([rev(2), rev(5)]);
    expect(addLink(broken, link(6), "run", rev(0)).chain.stretches).toHaveLength(3);
  });

  it("issue 16.2: after a walk a gap that opens and closes says that it has closed", () => {
    const broken = follow([link(0), link(2)]).chain;
    const ahead = addLink(broken, link(4), "run", rev(2));
    expect(ahead.gap?.firstRev).toBe(rev(4));
    expect(addLink(ahead.chain, link(3), "run", rev(2))).toMatchObject({ isClosed: true, gap: null });
    // Without the walk the first gap is still open.
    expect(addLink(addLink(broken, link(4), "run").chain, link(3), "run").isClosed).toBe(false);
  });

  it("issue 16.2: a link that the walk has read is stale, also in a batch that is applied again, and the chain without the gap is kept", () => {
    const broken = follow([link(0), link(2)]).chain;
    const again = addLink(broken, link(2), "run", rev(3));
    expect(again).toMatchObject({ isStale: true, gap: null, isClosed: false, chain: { stretches: { length: 1 } } });
    expect(addLink(broken, link(1), "run", rev(3))).toMatchObject({ isStale: true, gap: null });
    expect(addLink(broken, link(2), "run")).toMatchObject({ isStale: true, gap: { firstRev: rev(2) } });
    const cut = follow(Array.from({ length: 40 }, (_, n) => link(2 * n))).chain;
    expect(addLink(cut, link(79), "run", rev(78)).chain).toMatchObject({ isCut: false, stretches: { length: 1 } });
  });

  it("issue 16.2: links in any order around a walk: only what is missing after its revision is a gap", () => {
    const scenes = fc
      .record({
        count: fc.integer({ min: 8, max: 16 }),
        lost: fc.uniqueArray(fc.integer({ min: 1, max: 14 }), { maxLength: 8 }),
        proved: fc.nat({ max: 16 }),
      })
      .chain(({ count, lost, proved }) => {
        const sent = Array.from({ length: count }, (_, n) => n).filter((n) => !lost.includes(n));
        const order = fc.shuffledSubarray([...sent, ...sent], { minLength: 2 * sent.length });
        return fc.record({ order, at: fc.nat({ max: 2 * sent.length }), proved: fc.constant(proved) });
      });
    fc.assert(
      fc.property(scenes, ({ order, at, proved }) => {
        let chain: Chain | null = null;
        const filled: string[] = [];
        for (const [index, n] of order.entries()) {
          const linked: Linked = addLink(chain, link(n), "run", index < at ? null : rev(proved));
          const since = linked.gap?.since ?? null;
          if (index >= at && since !== null && since <= rev(proved)) filled.push(since);
          chain = readChain(JSON.stringify(linked.chain));
        }
        expect(filled).toEqual([]);
        const sent = new Set(order);
        const least = Math.min(...sent);
        const isWalked = at < order.length;
        const missing = [...sent].filter((n) => n > least && !sent.has(n - 1) && (!isWalked || n - 1 > proved));
        // The base may be a commit that the walk has read, or the first one after it.
        expect((chain?.stretches.length ?? 0) - 1).toBe(missing.filter((n) => !isWalked || n > proved).length);
      }),
      { numRuns: 1000, seed: 162 },
    );
  });
});
