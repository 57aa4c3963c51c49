import { expect, test } from "vitest";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { errorText, groupErrors } from "./group-errors.ts";
import { renderHtml } from "./render-html.ts";
import { renderText } from "./render-text.ts";

const AT = Date.parse("2026-03-01T11:59:00.000Z");
const FIRST = Date.parse("2026-03-01T05:12:00.000Z");
const REFUSED = "relay.example:443: connect ECONNREFUSED 127.0.0.1:2583";

test("issue 17.1: an error that comes again and again is one line, with how often and since when", () => {
  const errors = groupErrors([
    { atMs: AT, source: "reader", message: REFUSED, kind: "unreachable", times: 41, firstAtMs: FIRST },
  ]);
  expect(errors).toEqual([
    {
      at: "2026-03-01T11:59:00.000Z",
      source: "reader",
      message: REFUSED,
      times: 41,
      since: "2026-03-01T05:12:00.000Z",
    },
  ]);
  const snapshot = sampleSnapshot({ errors });
  const words = `${REFUSED}, 41 times since 05:12 UTC`;
  expect(renderHtml(snapshot, { nonce: "n" })).toContain(words);
  expect(renderText(snapshot, { width: 300, color: false }).join("\n")).toContain(words);
});

test("issue 17.1: the same text without a kind is one line, too; other texts and sources are not", () => {
  const error = (atMs: number, message: string, source = "consumer") => ({ atMs, source, message });
  const errors = groupErrors([error(1, "a"), error(2, "b"), error(3, "a"), error(4, "a", "reader"), error(5, "a")]);
  expect(errors.map(({ source, message, times }) => [source, message, times])).toEqual([
    ["consumer", "b", undefined],
    ["reader", "a", undefined],
    ["consumer", "a", 3],
  ]);
});

test("issue 17.1: what began on another day has its date, and what came once has no number", () => {
  const at = "2026-03-01T12:00:00.000Z";
  const error = { at, source: "reader", message: "refused" };
  expect(errorText(error, at)).toBe("refused");
  expect(errorText({ ...error, times: 1_041, since: "2026-02-27T23:59:00.000Z" }, at)).toBe(
    "refused, 1,041 times since 2026-02-27 23:59 UTC",
  );
});
