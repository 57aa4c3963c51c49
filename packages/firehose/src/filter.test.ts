import { describe, expect, it } from "vitest";
import { compileFilter } from "./filter.ts";

describe("compileFilter", () => {
  it("lets everything pass when it is empty", () => {
    const filter = compileFilter({ collections: [], dids: [] });
    expect([filter.record("did:plc:a", "a.b.c"), filter.marker("did:plc:a")]).toEqual([null, null]);
  });

  it.each([
    ["app.bsky.feed.post", null],
    ["app.bsky.feed.posts", "collection"],
    ["app.bsky.graph.follow", null],
    ["app.bsky.graph.deep.follow", null],
    ["app.bsky.graphs.follow", "collection"],
    ["app.bsky.graph", "collection"],
    ["app.bsky.graph.*", null],
  ])("exact names and prefixes at a dot: %s", (collection, expected) => {
    const filter = compileFilter({ collections: ["app.bsky.feed.post", "app.bsky.graph.*"], dids: [] });
    // Twice: the second answer is a remembered one.
    expect([filter.record("did:plc:a", collection), filter.record("did:plc:b", collection)]).toEqual([
      expected,
      expected,
    ]);
  });

  it("names the DID first", () => {
    const filter = compileFilter({ collections: ["a.b.c"], dids: ["did:plc:a"] });
    expect(filter.record("did:plc:b", "x.y.z")).toBe("did");
    expect(filter.record("did:plc:a", "x.y.z")).toBe("collection");
    expect(filter.record("did:plc:a", "a.b.c")).toBeNull();
    expect(filter.marker("did:plc:b")).toBe("did");
    expect(filter.marker("did:plc:a")).toBeNull();
  });

  it("is as fast for 20,000 DIDs as for one", () => {
    const dids = Array.from({ length: 20_000 }, (_, index) => `did:plc:${index}`);
    const timeFor = (scope: readonly string[]): number => {
      const filter = compileFilter({ collections: [], dids: scope });
      const before = performance.now();
      for (let round = 0; round < 10; round++) for (const did of dids) filter.marker(did);
      return performance.now() - before;
    };
    timeFor(dids);
    // A list that is searched would take 20,000 times as long, not 20.
    expect(timeFor(dids)).toBeLessThan(20 * (timeFor(["did:plc:1"]) + 5));
  });

  it("does not remember without bound", () => {
    const filter = compileFilter({ collections: ["a.*"], dids: [] });
    for (let index = 0; index < 10_000; index++) filter.record("did:plc:a", `x.y.${index}`);
    expect(filter.record("did:plc:a", "a.b.c")).toBeNull();
    expect(filter.record("did:plc:a", "x.y.9999")).toBe("collection");
  });
});
