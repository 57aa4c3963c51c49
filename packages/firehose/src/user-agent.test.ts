import { describe, expect, it } from "vitest";
import { userAgent } from "./user-agent.ts";

describe("userAgent", () => {
  it.each([
    [null, "firehose-backfill/1.2.3"],
    ["", "firehose-backfill/1.2.3"],
    ["ops@example.org", "firehose-backfill/1.2.3 (ops@example.org)"],
    ["a\r\nX-Evil: ü", "firehose-backfill/1.2.3 (aX-Evil:)"],
  ])("contact %j", (contact, expected) => {
    expect(userAgent({ version: "1.2.3", contact })).toBe(expected);
  });
});
