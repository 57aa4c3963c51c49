import { describe, expect, test } from "vitest";
import { collections, dids, isDid, isNsid } from "./filters.ts";

const inPlace = { readFile: null };
const withFile = (content: string) => ({ readFile: () => content });

test.each([
  ["app.bsky.feed.post", true],
  ["com.example.fooBar", true],
  ["a-0.b-1.c", true],
  ["net.users.bob.ping", true],
  ["xn--bcher-kva.example.thing2", true],
  ["app.bsky", false],
  ["app", false],
  ["app.bsky.feed.", false],
  [".app.bsky.feed", false],
  ["app..feed.post", false],
  ["app.bsky.feed.post-it", false],
  ["app.bsky.feed.3rd", false],
  ["0app.bsky.feed", false],
  ["-app.bsky.feed", false],
  ["app.bsky-.feed", false],
  ["app.bsky.feed.*", false],
  ["app.bsky.feed/post", false],
  [`a.${"b".repeat(64)}.c`, false],
  [`a.b.${"c".repeat(63)}`, true],
  [`a.b.${"c".repeat(64)}`, false],
  [`a.${"b.".repeat(160)}c`, false],
])("%s is an NSID: %s", (text, expected) => {
  expect(isNsid(text)).toBe(expected);
});

test.each([
  ["did:plc:ewvi7nxzyoun6zhxrhs64oiz", true],
  ["did:web:example.com%3A3000", true],
  ["did:method:val:two", true],
  ["did:m:v", true],
  ["did:PLC:abc", false],
  ["did:plc:", false],
  ["did:plc:abc:", false],
  ["did:plc:a/b", false],
  ["did:plc:a b", false],
  ["DID:plc:abc", false],
  ["at://did:plc:abc", false],
  [`did:plc:${"a".repeat(2_040)}`, true],
  [`did:plc:${"a".repeat(2_041)}`, false],
])("%s is a DID: %s", (text, expected) => {
  expect(isDid(text)).toBe(expected);
});

describe("lists", () => {
  test("commas, spaces and new lines part items; each counts once; order is kept", () => {
    expect(collections.parse("app.bsky.feed.like ,app.bsky.*,\n app.bsky.feed.like", inPlace)).toEqual({
      value: ["app.bsky.feed.like", "app.bsky.*"],
    });
  });

  test.each([["app.bsky.feed*"], ["app.*.feed"], ["*"], [".*"], ["app.bsky.feed.**"], ["app.bsky.feed.post.*x"]])(
    "%s is no prefix: a star stands alone behind the last dot",
    (text) => {
      expect(collections.parse(text, inPlace)).toEqual({ problem: `not one: "${text}"` });
    },
  );

  test("a list of nothing is refused: it would mean everything", () => {
    expect(dids.parse(",", inPlace)).toEqual({ problem: "the list is empty" });
    expect(dids.parse("@f", withFile("# nobody yet\n\n"))).toEqual({ problem: "the list is empty" });
  });

  test("wrong items are told, the first three of them, escaped", () => {
    expect(dids.parse("a,\u001b[31m,b,c,did:plc:x,d", inPlace)).toEqual({
      problem: String.raw`not one: "a", "\u001b[31m", "b" and 2 more`,
    });
  });

  test("long ones are shown in part; an empty one is shown as nothing", () => {
    const many = Array.from({ length: 12 }, (_, index) => `did:plc:${index}`);
    expect(dids.show(many)).toBe(`${many.slice(0, 10).join(",")} and 2 more`);
    expect(dids.show(many.slice(0, 2))).toBe("did:plc:0,did:plc:1");
    expect(dids.show([])).toBeNull();
  });
});

describe("files", () => {
  test("10,000 DIDs, one a line, with comments", () => {
    const lines = Array.from({ length: 10_000 }, (_, index) => `did:plc:${index}  # number ${index}`);
    const parsed = dids.parse("@list.txt", withFile(`# all of them\r\n${lines.join("\r\n")}`));
    expect(parsed).toEqual({ value: Array.from({ length: 10_000 }, (_, index) => `did:plc:${index}`) });
  });

  test("the path is what follows the @", () => {
    const asked: string[] = [];
    const readFile = (path: string) => {
      asked.push(path);
      return "did:plc:a";
    };
    dids.parse("@/etc/my list.txt", { readFile });
    expect(asked).toEqual(["/etc/my list.txt"]);
  });

  test("one that cannot be read is a problem, with the reason", () => {
    const readFile = () => {
      throw Object.assign(new Error("ENOENT: no such file, open 'x'"), { code: "ENOENT" });
    };
    expect(dids.parse("@x", { readFile })).toEqual({
      problem: "the file cannot be read: Error: ENOENT: no such file, open 'x'",
    });
  });

  test("where no file can be named, none is", () => {
    expect(collections.parse("@x", inPlace)).toEqual({ problem: "a file cannot be named here" });
  });
});
