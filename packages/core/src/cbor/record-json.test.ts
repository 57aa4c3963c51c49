import * as dagCbor from "@ipld/dag-cbor";
import fc from "fast-check";
import { CID } from "multiformats/cid";
import { expect, test } from "vitest";
import { cidOf } from "../cid.ts";
import { anyText } from "@firehose-backfill/testing/core/any-text";
import { BadRecordError, decodeRecord } from "./decode-record.ts";
import { CidLink } from "./decoder.ts";
import { recordToJson } from "./record-json.ts";

test("links and bytes have atproto's own form; base64 without padding, in the ordinary alphabet", () => {
  const cid = cidOf(Uint8Array.of(1));
  const text = recordToJson({
    bytes: Uint8Array.of(0xfb, 0xff, 0xfe, 0x00),
    empty: new Uint8Array(0),
    link: new CidLink(cid),
    list: [null, true, -1, "a"],
    map: {},
  });
  expect(text).toBe(
    `{"bytes":{"$bytes":"+//+AA"},"empty":{"$bytes":""},"link":{"$link":"${CID.decode(cid).toString()}"},"list":[null,true,-1,"a"],"map":{}}`,
  );
});

test("texts and integers survive the way through JSON unchanged", () => {
  const text = anyText().map((value) => value.replaceAll("\0", ""));
  const record = fc.dictionary(
    text.filter((key) => key !== "__proto__"),
    fc.oneof(text, fc.maxSafeInteger()),
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(record, (value) => {
      expect(JSON.parse(recordToJson(decodeRecord(dagCbor.encode(value))))).toEqual(value);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test.each([
  ["in a text", { a: "x\0y" }],
  ["in a key", { "a\0": 1 }],
  ["in a nested text", { a: [{ b: "\0" }] }],
  ["after a backslash", { a: "\\\0" }],
  ["after its own escape, spelled out", { a: "\\u0000\0" }],
])("U+0000 %s makes a bad record: jsonb cannot hold it", (_where, record) => {
  expect(() => recordToJson(record)).toThrow(new BadRecordError("nul-character"));
});

test.each([
  ["the escape of U+0000, spelled out", "\\u0000"],
  ["the same behind another backslash", "\\\\u0000"],
  ["noncharacters", "\uFFFE\uFFFF"],
  ["other control characters", "\u0001\u001b\u007f"],
])("%s is fine in jsonb and stays", (_what, text) => {
  expect(JSON.parse(recordToJson({ text }))).toEqual({ text });
});
