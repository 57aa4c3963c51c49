/** Parses public keys as DID documents and did:key write them. */
import type { CurveName, PublicKey } from "./signature.ts";

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/** Decoding base58 takes quadratic time, and no key is longer than this. */
const MAX_TEXT = 128;
const COMPRESSED_LENGTH = 33;
const UNCOMPRESSED_LENGTH = 65;

/** Multicodec prefixes of compressed keys. */
const CODECS: readonly { readonly kind: CurveName; readonly prefix: readonly [number, number] }[] = [
  { kind: "k256", prefix: [0xe7, 0x01] },
  { kind: "p256", prefix: [0x80, 0x24] },
];
/** Verification methods of older documents: they hold the bare point, and the type names the curve. */
const LEGACY_TYPES: Readonly<Record<string, CurveName>> = {
  EcdsaSecp256k1VerificationKey2019: "k256",
  EcdsaSecp256r1VerificationKey2019: "p256",
};

/** `zQ3sh…`, `zDnae…`: multibase over multicodec. null: not a supported key. */
export function parseMultikey(multibase: string): PublicKey | null {
  const bytes = decodeMultibase(multibase);
  if (bytes === null || bytes.length !== COMPRESSED_LENGTH + 2) return null;
  const codec = CODECS.find(({ prefix }) => prefix[0] === bytes[0] && prefix[1] === bytes[1]);
  return codec === undefined ? null : { kind: codec.kind, bytes: bytes.slice(2) };
}

/** The key of a verification method: a Multikey, or one of the two older types. */
export function parseVerificationMethod(type: string, multibase: string): PublicKey | null {
  if (type === "Multikey") return parseMultikey(multibase);
  const kind = Object.hasOwn(LEGACY_TYPES, type) ? LEGACY_TYPES[type] : undefined;
  const bytes = decodeMultibase(multibase);
  if (kind === undefined || bytes === null) return null;
  const compressed = bytes.length === UNCOMPRESSED_LENGTH ? compress(bytes) : bytes;
  return compressed.length === COMPRESSED_LENGTH ? { kind, bytes: compressed } : null;
}

/** Compressed form: x, and the sign of y. */
function compress(point: Uint8Array): Uint8Array {
  const compressed = new Uint8Array(COMPRESSED_LENGTH);
  compressed[0] = 2 + ((point[UNCOMPRESSED_LENGTH - 1] ?? 0) & 1);
  compressed.set(point.subarray(1, COMPRESSED_LENGTH), 1);
  return compressed;
}

function decodeMultibase(text: string): Uint8Array | null {
  if (!text.startsWith("z") || text.length > MAX_TEXT) return null;
  const bytes: number[] = [];
  let zeros = 0;
  for (const char of text.slice(1)) {
    let carry = BASE58.indexOf(char);
    if (carry === -1) return null;
    if (carry === 0 && bytes.length === 0) {
      zeros++;
      continue;
    }
    for (let at = 0; at < bytes.length; at++) {
      carry += (bytes[at] ?? 0) * 58;
      bytes[at] = carry & 0xff;
      carry >>= 8;
    }
    for (; carry > 0; carry >>= 8) bytes.push(carry & 0xff);
  }
  return Uint8Array.from([...Array.from({ length: zeros }, () => 0), ...bytes.toReversed()]);
}
