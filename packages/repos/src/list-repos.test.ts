import { systemClock } from "@firehose-backfill/core/clock";
import { describe, expect, it } from "vitest";
import {
  type CollectionListing,
  type CollectionPage,
  listByCollection,
  listFixed,
  type ListRepos,
} from "./list-repos.ts";
import { startServer } from "@firehose-backfill/testing/repos/http-server";
import { testClient } from "@firehose-backfill/testing/repos/clients";
import { collectionPages } from "./xrpc/collection-client.ts";

const did = (name: string) => `did:plc:${name.padEnd(24, "a")}`;
const { signal } = new AbortController();

async function all(list: ListRepos, start: string | null = null) {
  const dids: string[] = [];
  const problems: string[] = [];
  const cursors: string[] = [];
  let cursor = start;
  for (let turn = 0; turn < 100; turn++) {
    const page = await list(cursor, signal);
    dids.push(...page.dids);
    if (page.problem !== null) problems.push(page.problem);
    if (page.cursor === null) return { dids, problems, cursors };
    cursors.push(page.cursor);
    ({ cursor } = page);
  }
  throw new Error("it does not end");
}

/** Hosts as lists of pages, by collection. */
function listing(
  hosts: Readonly<Record<string, Readonly<Record<string, readonly (readonly unknown[])[]>> | null>>,
  fields: Partial<CollectionListing> = {},
) {
  return listByCollection({
    origins: Object.keys(hosts),
    collections: ["a.b.c", "d.e.f"],
    maxRemembered: 1_000,
    fetchPage: async ({ origin, collection, cursor }): Promise<CollectionPage | null> => {
      const pages = hosts[origin];
      if (pages === null || pages === undefined) return null;
      const index = Number(cursor ?? 0);
      const of = pages[collection] ?? [];
      return { dids: of[index] ?? [], cursor: index + 1 < of.length ? String(index + 1) : null };
    },
    ...fields,
  });
}

describe("repositories by collection", () => {
  const hosts = {
    "https://one": { "a.b.c": [[did("x"), did("y")], [did("z")]], "d.e.f": [[did("y"), did("w")]] },
    "https://two": { "a.b.c": [[did("v"), did("x")]], "d.e.f": [] },
  };

  it("issue 15.4: of several hosts are united, each comes once", async () => {
    expect(await all(listing(hosts))).toMatchObject({ dids: ["x", "y", "z", "w", "v"].map(did), problems: [] });
  });

  it("go on at any cursor, which is small", async () => {
    const { cursors } = await all(listing(hosts));
    const rest = await all(listing(hosts), cursors[1] ?? null);
    expect(rest.dids).toEqual(["y", "w", "v", "x"].map(did));
    for (const cursor of cursors) expect(cursor.length).toBeLessThan(2_048);
  });

  it("a host that does not know the call is passed over and named", async () => {
    const { dids, problems } = await all(listing({ "https://old": null, ...hosts }));
    expect(dids).toHaveLength(5);
    expect(problems).toEqual(["https://old does not list repositories by collection"]);
  });

  it("what is no DID is not taken, and counted", async () => {
    const odd = { "https://one": { "a.b.c": [[did("x"), "nobody", 7, null, "did:"]] } };
    expect(await all(listing(odd))).toMatchObject({
      dids: [did("x")],
      problems: ["https://one names 4 repositories by what is no DID"],
    });
  });

  it.each<[string, string, string]>([
    ["that does not move", "same", "the same cursor again"],
    ["without an end", "x".repeat(5_000), "a cursor of 5000 characters"],
  ])("a cursor %s ends the list", async (_, cursor, problem) => {
    const list = listing(hosts, { fetchPage: async () => ({ dids: [did("x")], cursor }) });
    const { problems } = await all(list);
    expect(problems).toHaveLength(4);
    expect(problems[0]).toContain(problem);
  });

  it("cursors that go round end the list, and a collection that begins with the same cursor is listed all the same", async () => {
    const round = ["a", "b", "c"];
    const list = listing(hosts, {
      origins: ["https://one"],
      fetchPage: async ({ cursor }) => {
        const next = round[(round.indexOf(cursor ?? "") + 1) % round.length] ?? "a";
        return { dids: [did(next)], cursor: next };
      },
    });
    const { dids, problems } = await all(list);
    expect(dids).toEqual(round.map(did));
    expect(problems).toEqual([
      "https://one gives a cursor again that it gave before",
      "https://one gives a cursor again that it gave before",
    ]);
  });

  it("a page without an end is cut", async () => {
    const many = Array.from({ length: 12_000 }, (_, index) => did(`${index}`.replaceAll(/[0189]/g, "b")));
    const list = listing(hosts, {
      origins: ["https://one"],
      collections: ["a.b.c"],
      fetchPage: async () => ({ dids: many, cursor: null }),
    });
    expect((await all(list)).problems).toEqual(["https://one gives 12000 DIDs at once; 10000 are taken"]);
  });

  it("no more is remembered than may be: some come again, none is lost", async () => {
    const { dids } = await all(listing(hosts, { maxRemembered: 1 }));
    expect(new Set(dids)).toEqual(new Set(["x", "y", "z", "w", "v"].map(did)));
    expect(dids.length).toBe(6);
  });

  it("cannot be asked for by a pattern", () => {
    expect(() => listing(hosts, { collections: ["app.bsky.feed.*"] })).toThrow(
      expect.objectContaining({ name: "UsageError" }),
    );
  });

  it("over HTTP: pages, cursors, and hosts that do not know the call", async () => {
    await using server = await startServer((request, response) => {
      const { searchParams } = new URL(request.url ?? "", "http://localhost");
      const isFirst = searchParams.get("cursor") === null;
      response.end(
        JSON.stringify(
          isFirst ? { repos: [{ did: did("x") }], cursor: "next" } : { repos: [{ did: did("y") }, "odd"] },
        ),
      );
    });
    await using old = await startServer((_, response) =>
      response.writeHead(501).end('{"error":"MethodNotImplemented"}'),
    );
    using client = testClient({ clock: systemClock });
    const list = listByCollection({
      origins: [old.origin, server.origin],
      collections: ["a.b.c"],
      fetchPage: collectionPages(client),
      maxRemembered: 10,
    });
    const { dids, problems } = await all(list);
    expect(dids).toEqual([did("x"), did("y")]);
    expect(problems).toHaveLength(2);
    expect(server.asked).toEqual([
      "/xrpc/com.atproto.sync.listReposByCollection?collection=a.b.c&limit=2000",
      "/xrpc/com.atproto.sync.listReposByCollection?collection=a.b.c&limit=2000&cursor=next",
    ]);
  });
});

describe("a fixed list", () => {
  it.each([0, 1, 9, 10, 11, 25])("of %i, ten at a time", async (count) => {
    const dids = Array.from({ length: count }, (_, index) => did(String.fromCharCode(97 + index)));
    expect((await all(listFixed(dids, 10))).dids).toEqual(dids);
  });
});
