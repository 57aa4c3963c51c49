import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { expect, test } from "vitest";
import { renderHtml } from "./render-html.ts";
import { renderText } from "./render-text.ts";
import { resyncsText } from "./resyncs-text.ts";

const request = (did: string, reason: string) => ({
  did,
  reason,
  rev: null,
  at: "2026-03-01T12:00:00.000Z",
  takenBy: null,
});
const FOUR = [
  request("did:plc:a", "chain"),
  request("did:plc:<b>evil", "audit"),
  request("did:plc:c", "sync"),
  request("did:plc:d", "operator"),
];

test("text and page say which repositories have to be read anew, and strangers' names are escaped", () => {
  const snapshot = sampleSnapshot({ resyncs: { count: 4, done: 1_200, first: FOUR } });
  const said =
    "4 repositories have to be read anew: did:plc:a (chain), did:plc:<b>evil (audit), did:plc:c (sync), ...; 1,200 were read";
  expect(renderText(snapshot, { width: 200, color: false }).join("\n")).toContain(`resync   ${said}`);
  const page = renderHtml(snapshot, { nonce: "n" });
  expect(page).toContain("4 repositories have to be read anew: did:plc:a (chain)");
  expect(page).toMatch(/class="warn" id="resyncs"/);
  expect(page).not.toContain("<b>evil");
});

test("once all are read, the number of them stays; without any request nothing is said", () => {
  expect(resyncsText({ count: 0, done: 5, first: [] })).toBe("5 repositories were read anew");
  expect(resyncsText({ count: 1, done: 0, first: FOUR.slice(0, 1) })).toBe(
    "1 repository has to be read anew: did:plc:a (chain)",
  );
  expect(resyncsText({ count: 0, done: 0, first: [] })).toBeNull();
  expect(renderHtml(sampleSnapshot(), { nonce: "n" })).not.toContain('id="resyncs"');
});
