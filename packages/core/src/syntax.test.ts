import { describe, expect, it } from "vitest";
import { isDid, isNsid, isRecordKey, isTid, tidTimeMs } from "./syntax.ts";

type Check = (bytes: Uint8Array, start: number, end: number) => boolean;

/** Checks text inside other bytes, which would change the answer if the function read them. */
function holds(check: Check, text: string): boolean {
  const bytes = Buffer.from(`é${text}:.`);
  return check(bytes, 2, bytes.length - 2);
}

describe("DIDs", () => {
  it.each(["did:plc:ewvi7nxzyoun6zhxrhs64oiz", "did:web:example.com", "did:web:a%3A80", "did:x:a:b"])("%s", (text) => {
    expect(holds(isDid, text)).toBe(true);
  });
  it.each([
    "",
    "did:",
    "did:plc:",
    "did::abcdef",
    "DID:plc:abc",
    "did:plc:a b",
    "did:plc:é",
    "did:plc:abc:",
    "did:plc:abc%",
    `did:plc:${"a".repeat(2048)}`,
  ])("not %s", (text) => {
    expect(holds(isDid, text)).toBe(false);
  });
});

describe("TIDs", () => {
  it.each(["3jzfcijpj2z2a", "7777777777777", "2222222222222", "222222d7n7i22"])("%s", (text) => {
    expect(holds(isTid, text)).toBe(true);
  });
  it.each([
    "",
    "3jzfcijpj2z21",
    "0000000000000",
    "3JZFCIJPJ2Z2A",
    "3jzfcijpj2z2aa",
    "3jzfcijpj2z2",
    "zzzzzzzzzzzzz",
    "kjzfcijpj2z2a",
    "3jzfcijpj2z2é",
  ])("not %s", (text) => {
    expect(holds(isTid, text)).toBe(false);
  });
  it("carry a time", () => {
    expect(tidTimeMs(Buffer.from("2222222222222"), 0)).toBe(0);
    expect(new Date(tidTimeMs(Buffer.from("at 3jzfcijpj2z2a"), 3)).toISOString()).toMatch(/^2023-06-/);
  });
});

describe("NSIDs and record keys", () => {
  it.each(["com.example.fooBar", "a.b.c", "app.bsky.feed.post", "a-1.b-2.c"])("%s", (text) => {
    expect(holds(isNsid, text)).toBe(true);
  });
  it.each(["", "a.b", "a..c", ".a.b.c", "a.b.c.", "a.b.c d", "a.b.ç", "a.b.c/d", `a.b.${"c".repeat(320)}`])(
    "not %s",
    (text) => {
      expect(holds(isNsid, text)).toBe(false);
    },
  );
  it.each(["3jui7kd54zh2y", "self", "example.com", "~1.2-3_", "dHJ1ZQ", "pre:fix", "_", "...", "a".repeat(512)])(
    "%s",
    (text) => {
      expect(holds(isRecordKey, text)).toBe(true);
    },
  );
  it.each(["", ".", "..", "a/b", "a b", "a@b", "é", "a\u0000", "a".repeat(513)])("not %s", (text) => {
    expect(holds(isRecordKey, text)).toBe(false);
  });
});
