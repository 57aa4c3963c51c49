import { createECDH, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseMultikey, parseVerificationMethod } from "./public-key.ts";
import { verifySignature } from "./signature.ts";

interface Fixture {
  readonly comment: string;
  readonly messageBase64: string;
  readonly didDocSuite: string;
  readonly publicKeyDid: string;
  readonly publicKeyMultibase: string;
  readonly signatureBase64: string;
  readonly validSignature: boolean;
}

const fixtures: readonly Fixture[] = JSON.parse(
  readFileSync(new URL("../fixtures/interop/signature-fixtures.json", import.meta.url), "utf8"),
);

describe("the interop fixtures of atproto", () => {
  it.each(fixtures.map((fixture) => [fixture.comment, fixture] as const))("%s", (_, fixture) => {
    const message = Buffer.from(fixture.messageBase64, "base64");
    const signature = Buffer.from(fixture.signatureBase64, "base64");
    const key = parseMultikey(fixture.publicKeyDid.slice("did:key:".length));
    const legacy = parseVerificationMethod(fixture.didDocSuite, fixture.publicKeyMultibase);
    if (key === null) throw new Error("no key");
    expect(legacy).toEqual(key);
    expect(verifySignature(key, message, signature)).toBe(fixture.validSignature);
    if (!fixture.validSignature) return;
    expect(verifySignature(key, Buffer.from("another message"), signature)).toBe(false);
    expect(verifySignature(key, message, signature.subarray(1))).toBe(false);
    const otherCurve = { ...key, kind: key.kind === "k256" ? "p256" : "k256" } as const;
    expect(verifySignature(otherCurve, message, signature)).toBe(false);
  });

  it("hold valid and invalid ones of both curves", () => {
    expect(fixtures.filter(({ validSignature }) => validSignature)).toHaveLength(2);
    expect(fixtures.length).toBeGreaterThanOrEqual(6);
  });
});

describe("keys", () => {
  it("of an older document may be uncompressed", () => {
    const point = createECDH("secp256k1");
    point.generateKeys();
    const of = (format: "compressed" | "uncompressed") => `z${base58(point.getPublicKey(null, format))}`;
    const type = "EcdsaSecp256k1VerificationKey2019";
    const compressed = parseVerificationMethod(type, of("compressed"));
    expect(compressed?.bytes).toHaveLength(33);
    expect(parseVerificationMethod(type, of("uncompressed"))).toEqual(compressed);
  });

  it.each([
    "",
    "z",
    "Q3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc",
    "zQ3sh",
    "z0OIl",
    `z${"1".repeat(200)}`,
    "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
  ])("%s is none of ours", (text) => {
    expect(parseMultikey(text)).toBeNull();
  });

  it("that are no point of the curve verify nothing", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const signature = sign("sha256", Buffer.from("x"), { key: privateKey, dsaEncoding: "ieee-p1363" });
    signature[32] = 0;
    expect(verifySignature({ kind: "p256", bytes: new Uint8Array(33).fill(5) }, Buffer.from("x"), signature)).toBe(
      false,
    );
  });
});

function base58(bytes: Uint8Array): string {
  const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  let rest = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  let text = "";
  for (; rest > 0n; rest /= 58n) text = `${alphabet[Number(rest % 58n)]}${text}`;
  return text;
}
