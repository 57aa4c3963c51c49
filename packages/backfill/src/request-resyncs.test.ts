import type { RequestOutcome, ResyncReason } from "@firehose-backfill/checkpoint/resync-store";
import { MAX_RESYNCS } from "@firehose-backfill/checkpoint/resync-store";
import { createStore } from "../../checkpoint/src/create-store.ts";
import { createMemoryTable } from "@firehose-backfill/testing/checkpoint/memory-table";
import { deadRow } from "@firehose-backfill/testing/sink/rows";
import { expect, test } from "vitest";
import { noteChain, noteInversions } from "./request-resyncs.ts";

function scene() {
  const table = createMemoryTable();
  const store = createStore(table);
  const deps = { store, clock: { now: () => 5, sleep: async () => {}, monotonic: () => 5 } };
  const asked = async () => {
    const { count, first } = await store.listResyncs("p", 100);
    return { count, asked: first.map(({ did, reason }) => `${did} ${reason}`) };
  };
  return { table, store, deps, asked };
}

const OF_P = { paceId: "p", runId: "run" };
const opened = (did: string, reason: Extract<ResyncReason, "chain" | "sync"> = "chain") => ({ did, rev: "r", reason });

const closed = (did: string, provedRev: string | null = null) => ({ did, provedRev });

test("issue 16.1: one request a repository, whatever comes again, and none of another database", async () => {
  const { store, deps, asked } = scene();
  expect(await asked()).toEqual({ count: 0, asked: [] });
  await noteChain(deps, OF_P, { opened: [opened("did:plc:b"), opened("did:plc:a", "sync")], closed: [] });
  await noteChain(deps, OF_P, { opened: [opened("did:plc:a")], closed: [] });
  await noteChain(deps, { ...OF_P, paceId: "q" }, { opened: [opened("did:plc:c")], closed: [] });
  expect(await asked()).toEqual({ count: 2, asked: ["did:plc:a sync", "did:plc:b chain"] });
  expect((await store.listResyncs("p", 1)).first).toEqual([
    { did: "did:plc:a", reason: "sync", rev: "r", atMs: 5, runId: "run" },
  ]);
});

test("issue 16.1: what has come after all is withdrawn, once", async () => {
  const { deps, asked } = scene();
  await noteChain(deps, OF_P, { opened: [opened("did:plc:a"), opened("did:plc:b")], closed: [] });
  await noteChain(deps, OF_P, { opened: [], closed: [closed("did:plc:a"), closed("did:plc:c")] });
  await noteChain(deps, OF_P, { opened: [], closed: [closed("did:plc:a")] });
  expect(await asked()).toEqual({ count: 1, asked: ["did:plc:b chain"] });
});

test("issue 16.2: after a walk what has come withdraws the request of a gap after it, and none of a gap before it", async () => {
  const { deps, asked } = scene();
  const gaps = [opened("did:plc:a"), opened("did:plc:b"), opened("did:plc:c")];
  await noteChain(deps, OF_P, { opened: gaps, closed: [] });
  const found = [closed("did:plc:a", "q"), closed("did:plc:b", "r"), closed("did:plc:c", "s")];
  await noteChain(deps, OF_P, { opened: [], closed: found });
  // Each was requested for revision r.
  expect(await asked()).toEqual({ count: 2, asked: ["did:plc:b chain", "did:plc:c chain"] });
});

test("issue 16.3: what could not be undone requests a resync, which nothing withdraws", async () => {
  const { deps, asked } = scene();
  await noteChain(deps, OF_P, { opened: [opened("did:plc:a")], closed: [] });
  const failed = deadRow(1, { did: "did:plc:a", reason: "inversion-failed" });
  await noteInversions(deps, OF_P, [failed, failed, deadRow(2, { did: "did:plc:b" }), { ...failed, did: null }]);
  await noteChain(deps, OF_P, { opened: [opened("did:plc:a")], closed: [closed("did:plc:a")] });
  expect(await asked()).toEqual({ count: 1, asked: ["did:plc:a inversion"] });
});

test("issue 16.1: killed between a request and its count: it is listed and counted all the same, the first one of all, too", async () => {
  const { table, store, deps, asked } = scene();
  const killed: typeof table = {
    ...table,
    update: async (key, ...rest) => {
      if (key.sk === "#count") throw new Error("killed");
      return await table.update(key, ...rest);
    },
  };
  const dying = { ...deps, store: createStore(killed) };
  await expect(noteChain(dying, OF_P, { opened: [opened("did:plc:a")], closed: [] })).rejects.toThrow("killed");
  // The batch comes again.
  await noteChain(deps, OF_P, { opened: [opened("did:plc:a")], closed: [] });
  expect(await asked()).toEqual({ count: 1, asked: ["did:plc:a chain"] });
  await noteChain(deps, OF_P, { opened: [opened("did:plc:b")], closed: [] });
  await expect(noteChain(dying, OF_P, { opened: [opened("did:plc:c")], closed: [] })).rejects.toThrow("killed");
  await noteChain(deps, OF_P, { opened: [], closed: [closed("did:plc:a"), closed("did:plc:b")] });
  expect(await asked()).toEqual({ count: 1, asked: ["did:plc:c chain"] });
  expect((await store.listResyncs("p", 1)).first).toHaveLength(1);
});

test("issue 16.1: no more are stored than the limit", async () => {
  const { table, deps, asked } = scene();
  await table.put({ pk: "resync#p", sk: "#count" }, { count: MAX_RESYNCS });
  await noteChain(deps, OF_P, { opened: [opened("did:plc:a")], closed: [] });
  expect(await asked()).toEqual({ count: MAX_RESYNCS, asked: [] });
});

test("issue 16.2: a request that is not stored says why: it is there already, or there are too many, or the DID is too long", async () => {
  const { table, store } = scene();
  const request = (did: string, reason: ResyncReason = "operator") =>
    store.requestResync("p", { did, reason, rev: null, atMs: 5 });
  expect([await request("did:plc:a"), await request("did:plc:a")]).toEqual(["placed", "there"]);
  expect(await request(`did:web:${"a".repeat(900)}`)).toBe("bad-did");
  await table.put({ pk: "resync#p", sk: "#count" }, { count: MAX_RESYNCS });
  expect([await request("did:plc:a"), await request("did:plc:b")]).toEqual(["there", "full"]);
  // What the stream cannot withdraw takes the place of what it can, also then.
  await table.put({ pk: "resync#p", sk: "#count" }, { count: 1 });
  expect(await request("did:plc:c", "chain")).toBe("placed");
  await table.put({ pk: "resync#p", sk: "#count" }, { count: MAX_RESYNCS });
  expect(await request("did:plc:c")).toBe("placed");
});

test("issue 16.1: the locks of a batch in which every repository lacks something are held for its requests side by side, not one after the other", async () => {
  const { store, deps, asked } = scene();
  let [underWay, most] = [0, 0];
  const slowly = async (ask: () => Promise<RequestOutcome>): Promise<RequestOutcome> => {
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
    return await ask();
  };
  const slow = {
    ...store,
    requestResync: (...its: Parameters<typeof store.requestResync>) => slowly(() => store.requestResync(...its)),
  };
  const dids = Array.from({ length: 100 }, (_, n) => `did:plc:${n}`);
  const found = { opened: [...dids, ...dids].map((did) => opened(did)), closed: [closed(dids[0] ?? "")] };
  await noteChain({ ...deps, store: slow }, OF_P, found);
  expect(most).toBeGreaterThanOrEqual(10);
  expect((await asked()).count).toBe(99);
});
