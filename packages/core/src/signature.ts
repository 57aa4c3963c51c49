/** ECDSA as atproto uses it: 64 bytes of r and s, s in the lower half, over sha-256; P-256 or secp256k1. */
import { createPublicKey, type KeyObject, verify } from "node:crypto";

export type CurveName = "k256" | "p256";

export interface PublicKey {
  readonly kind: CurveName;
  /** The compressed point: 33 bytes. */
  readonly bytes: Uint8Array;
}

const SIGNATURE_LENGTH = 64;
const COMPRESSED_LENGTH = 33;

interface Curve {
  /** DER of a SubjectPublicKeyInfo, up to the point. */
  readonly spkiPrefix: Buffer;
  /** Half of the group's order, the largest s allowed. node:crypto accepts both s and its negative. */
  readonly halfOrder: Buffer;
}

const CURVES: Readonly<Record<CurveName, Curve>> = {
  k256: {
    spkiPrefix: Buffer.from("3036301006072a8648ce3d020106052b8104000a032200", "hex"),
    halfOrder: Buffer.from("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0", "hex"),
  },
  p256: {
    spkiPrefix: Buffer.from("3039301306072a8648ce3d020106082a8648ce3d030107032200", "hex"),
    halfOrder: Buffer.from("7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8", "hex"),
  },
};

/** A key verifies many signatures, and creating its object costs as much as one check. An entry goes when the resolver drops its key. */
const keyObjects = new WeakMap<PublicKey, KeyObject>();

/** False for any problem, including a key that is not a point of its curve. */
export function verifySignature(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_LENGTH || key.bytes.length !== COMPRESSED_LENGTH) return false;
  if (Buffer.compare(signature.subarray(32), CURVES[key.kind].halfOrder) > 0) return false;
  const keyObject = keyObjectOf(key);
  return keyObject !== null && verify("sha256", message, { key: keyObject, dsaEncoding: "ieee-p1363" }, signature);
}

function keyObjectOf(key: PublicKey): KeyObject | null {
  const known = keyObjects.get(key);
  if (known !== undefined) return known;
  try {
    const der = Buffer.concat([CURVES[key.kind].spkiPrefix, key.bytes]);
    const keyObject = createPublicKey({ key: der, format: "der", type: "spki" });
    keyObjects.set(key, keyObject);
    return keyObject;
  } catch {
    // Not a point of the curve, so it cannot have signed anything.
    return null;
  }
}
