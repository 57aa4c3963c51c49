import { describe, expect, it } from "vitest";
import { compileFilter } from "./filter.ts";

describe("compileFilter", () => {
  it("lets everything pass when it is empty", () => {
    const filter = compileFilter({ collections: [], dids: [] });
    expect([filter.passesCollection("a.b.c"), filter.passesDid("did:plc:a")]).toEqual([true, true]);
  });

  it.each([
    ["app.bsky.feed.post", true],
    ["app.bsky.feed.posts", false],
    ["app.bsky.graph.follow", true],
    ["app.bsky.graph.deep.follow", true],
    ["app.bsky.graphs.follow", false],
    ["app.bsky.graph", false],
    ["app.bsky.graph.*", true],
  ])("exact names and prefixes at a dot: %s", (collection, expected) => {
    const filter = compileFilter({ collections: ["app.bsky.feed.post", "app.bsky.graph.*"], dids: [] });
    // Twice: the second answer is a remembered one.
    expect([filter.passesCollection(collection), filter.passesCollection(collection)]).toEqual([expected, expected]);
  });

  it("lets the named DIDs pass, and no others", () => {
    const filter = compileFilter({ collections: ["a.b.c"], dids: ["did:plc:a"] });
    expect(filter.passesDid("did:plc:a")).toBe(true);
    expect(filter.passesDid("did:plc:b")).toBe(false);
  });

  it("is as fast for 20,000 DIDs as for one", () => {
    const dids = Array.from({ length: 20_000 }, (_, index) => `did:plc:${index}`);
    const timeFor = (scope: readonly string[]): number => {
      const filter = compileFilter({ collections: [], dids: scope });
      const before = performance.now();
      for (let round = 0; round < 10; round++) for (const did of dids) filter.passesDid(did);
      return performance.now() - before;
    };
    timeFor(dids);
    // A list that is searched would take 20,000 times as long, not 20.
    expect(timeFor(dids)).toBeLessThan(20 * (timeFor(["did:plc:1"]) + 5));
  });

  it("does not remember without bound", () => {
    const filter = compileFilter({ collections: ["a.*"], dids: [] });
    for (let index = 0; index < 10_000; index++) filter.passesCollection(`x.y.${index}`);
    expect(filter.passesCollection("a.b.c")).toBe(true);
    expect(filter.passesCollection("x.y.9999")).toBe(false);
  });
});
