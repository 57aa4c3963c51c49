import { describe, expect, it } from "vitest";
import { parseDatetime } from "./datetime.ts";

describe("frame times", () => {
  const parse = (text: string) => parseDatetime(Buffer.from(`..${text}..`), 2, 2 + Buffer.byteLength(text));
  it.each([
    "2025-02-06T01:05:06.528Z",
    "2024-02-29T23:59:59.999Z",
    "2025-12-31T00:00:00Z",
    "2025-12-31T00:00:00.123456Z",
    "2025-12-31T00:00:00.123456789+02:00",
    "1999-01-30T10:00:00.000Z",
  ])("%s", (text) => {
    expect(parse(text)).toBe(Date.parse(text));
  });
  it.each([
    "",
    "now",
    "2025-02-06",
    "2025-13-06T01:05:06.528Z",
    "2025-02-06T25:05:06.528Z",
    "2025-02-06T01:05:06.52XZ",
    "2025-02-06Tx1:05:06.528Z",
    "2025-02-06 01:05:06Z",
    "+012025-02-06T01:05:06Z",
    `2025-02-06T01:05:06.${"1".repeat(60)}Z`,
  ])("not %s", (text) => {
    expect(parse(text)).toBeNaN();
  });
});
