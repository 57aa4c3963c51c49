/** Signing keys like those of accounts: sha-256, 64 bytes of r and s, s in the lower half. */
import { generateKeyPairSync, sign } from "node:crypto";
import type { CurveName, PublicKey } from "@firehose-backfill/core/signature";

export interface Signer {
  readonly key: PublicKey;
  readonly sign: (message: Uint8Array) => Uint8Array;
}

const CURVES: Readonly<Record<CurveName, { readonly name: string; readonly order: bigint }>> = {
  k256: { name: "secp256k1", order: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n },
  p256: { name: "prime256v1", order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n },
};

export function newSigner(kind: CurveName): Signer {
  const { name, order } = CURVES[kind];
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: name });
  const point = publicKey.export({ format: "der", type: "spki" }).subarray(-64);
  return {
    key: { kind, bytes: Uint8Array.from([2 + ((point[63] ?? 0) & 1), ...point.subarray(0, 32)]) },
    sign(message) {
      const signature = sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" });
      const s = BigInt(`0x${signature.subarray(32).toString("hex")}`);
      const low = s > order / 2n ? order - s : s;
      return Buffer.concat([signature.subarray(0, 32), Buffer.from(low.toString(16).padStart(64, "0"), "hex")]);
    },
  };
}
