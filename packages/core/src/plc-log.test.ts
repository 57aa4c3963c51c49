import { base58btc } from "multiformats/bases/base58";
import { expect, test } from "vitest";
import { newSigner } from "../../../test/support/sign.ts";
import { readPlcLogKeys } from "./plc-log.ts";

const CODES = { k256: [0xe7, 0x01], p256: [0x80, 0x24] } as const;

function account(curve: "k256" | "p256") {
  const { key } = newSigner(curve);
  return { key, text: `did:key:${base58btc.encode(Uint8Array.from([...CODES[curve], ...key.bytes]))}` };
}

test("issue 15.9: keys of the directory's log: the newest first, each once, without what was taken back", () => {
  const [first, second, third] = [account("k256"), account("p256"), account("k256")];
  const operation = (key: string) => ({ operation: { type: "plc_operation", verificationMethods: { atproto: key } } });
  const log = [
    { operation: { type: "create", signingKey: first.text }, nullified: false },
    operation(second.text),
    { ...operation(third.text), nullified: true },
    operation(second.text),
    { operation: { type: "plc_tombstone" } },
  ];
  const plain = (key: { readonly kind: string; readonly bytes: Uint8Array }) => [key.kind, ...key.bytes];
  expect(readPlcLogKeys(JSON.stringify(log)).map(plain)).toEqual([plain(second.key), plain(first.key)]);
});

test.each(["", "{}", "[null, 1, {}]", '[{"operation":{"verificationMethods":{"atproto":"did:key:zzz"}}}]'])(
  "a log that is none has no keys: %s",
  (json) => {
    expect(readPlcLogKeys(json)).toEqual([]);
  },
);
