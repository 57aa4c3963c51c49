/** Fixtures from other projects: what all implementations agree on, and where atproto is stricter. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { describe, expect, test } from "vitest";
import { cidOf, cidToText } from "../cid.ts";
import { decodeRecord } from "./decode-record.ts";
import { CidLink, type CborValue, decodeScanned, isCborList, isCborMap } from "./decoder.ts";
import { recordToJson } from "./record-json.ts";
import { type CborRefusal, refusalOf } from "./refusal.ts";
import { ATPROTO_RULES, lastScanSawWideNegative, scanItem } from "./strict-scan.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures");

function scan(bytes: Uint8Array): "accepted" | CborRefusal {
  const end = scanItem(bytes, 0, bytes.length, ATPROTO_RULES);
  if (end < 0) return refusalOf(end);
  return end === bytes.length ? "accepted" : "trailing-bytes";
}

/** The value as @ipld/dag-cbor decodes it. */
function toIpld(value: CborValue): unknown {
  if (value instanceof CidLink) return CID.decode(value.bytes);
  if (isCborList(value)) return value.map(toIpld);
  if (isCborMap(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toIpld(item)]));
  return value;
}

/** Our result for the bytes: a reason, or a value in the form of the reference. */
function read(bytes: Uint8Array): { refused: CborRefusal } | { value: unknown } {
  const result = scan(bytes);
  return result === "accepted"
    ? { value: toIpld(decodeScanned(bytes, lastScanSawWideNegative())) }
    : { refused: result };
}

function expected(bytes: Uint8Array, refused: CborRefusal | undefined): ReturnType<typeof read> {
  return refused === undefined ? { value: dagCbor.decode(bytes) } : { refused };
}

describe("dasl-testing", () => {
  interface DaslCase {
    readonly type: "roundtrip" | "invalid_in" | "invalid_out";
    readonly data: string;
    readonly name: string;
    readonly tags: readonly string[];
  }
  const folder = join(FIXTURES, "dasl-testing");
  const cases = readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .flatMap((file): DaslCase[] => JSON.parse(readFileSync(join(folder, file), "utf8")));
  // invalid_out lists what an encoder must not write; nothing is encoded for the network here.
  const inputs = cases.filter(({ type }) => type !== "invalid_out");

  /** Valid under other rules, refused here. */
  const STRICTER: Readonly<Record<string, CborRefusal>> = {
    "Big DASL CID": "bad-cid", // sha-256 only
    "float reduction": "float", // no floats in records
    "64-bit floats only": "float",
    "short NaN": "float",
    "zero float64": "float",
    "zero float16": "float",
    "64-bit subnormal number": "float",
    "too small for int reduction, <-(2^63)": "float",
    "largest CBOR integer, 2^64-1": "integer-range", // what a JavaScript number holds exactly
    "smallest CBOR integer, -(2^64)": "integer-range",
    "2^53+1, unrepresentable in JS": "integer-range",
    "-(2^53+1), unrepresentable in JS": "integer-range",
    "smallest unsigned bigint": "bad-tag", // valid in CBOR::Core only
    "highest negative bigint": "bad-tag",
    "map with equal int and float keys": "key-type",
  };
  /** Refused by dCBOR only, which requires normalized text; accepted here. */
  const PERMITTED = "text not in Unicode Normalization Form C";

  test("all of them are here", () => {
    expect(cases).toHaveLength(105);
    expect(inputs).toHaveLength(96);
  });

  test.each(inputs.filter(({ type }) => type === "invalid_in"))("refuses $name ($data)", ({ data, name, tags }) => {
    const isPermitted = name === PERMITTED && tags.every((tag) => tag === "dCBOR");
    expect(scan(Buffer.from(data, "hex")) === "accepted").toBe(isPermitted);
  });

  test.each(inputs.filter(({ type }) => type === "roundtrip"))("valid: $name ($data)", ({ data, name }) => {
    const bytes = Buffer.from(data, "hex");
    expect(read(bytes)).toEqual(expected(bytes, STRICTER[name]));
  });
});

describe("codec-fixtures", () => {
  const folder = join(FIXTURES, "codec-fixtures");
  const fixtures = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(folder, name)).map((file) => ({ name, path: join(folder, name, file) })));

  /** All of these are valid DAG-CBOR, but not allowed in a record. */
  const STRICTER: readonly (readonly [RegExp, CborRefusal])[] = [
    [/^float-(?!array_of_specials)/, "float"],
    [/^garbage-(?:03|07|09|11|15|19|20|22|24)$/, "float"],
    [/^garbage-(?:00|01|02|05|06|14|16|17|18)$/, "bad-cid"],
    [/^dagpb_.*(?:link|Links_)/, "bad-cid"],
    [/^dagpb_simple_forms_[234]$/, "bad-cid"],
    [/^cid-(?:Qm|bafkqa|bagc|bagy|baha|z8m|zdj|arrayof|mapof)/, "bad-cid"],
    [/^int--?(?:11959030306112471731|11959030306112471732|18446744073709551615)$/, "integer-range"],
    [/^int--?(?:9223372036854775807|9223372036854775808|9007199254740992|9007199254740993)$/, "integer-range"],
  ];

  test("all of them are here", () => {
    expect(fixtures).toHaveLength(128);
  });

  test.each(fixtures)("$name", ({ name, path }) => {
    const bytes = readFileSync(path);
    const refused = STRICTER.find(([pattern]) => pattern.test(name))?.[1];
    expect(read(bytes)).toEqual(expected(bytes, refused));
  });
});

describe("atproto interop: data model", () => {
  const fixtures: readonly { json: unknown; cbor_base64: string; cid: string }[] = JSON.parse(
    readFileSync(join(FIXTURES, "interop/data-model-fixtures.json"), "utf8"),
  );

  test.each(fixtures)("$cid", ({ json, cbor_base64, cid }) => {
    const block = Buffer.from(cbor_base64, "base64");
    expect(JSON.parse(recordToJson(decodeRecord(block)))).toEqual(json);
    expect(cidToText(cidOf(block))).toBe(cid);
  });

  test("there are some", () => {
    expect(fixtures.length).toBeGreaterThanOrEqual(3);
  });
});
