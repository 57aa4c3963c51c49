/** The layer of a key in the tree: pairs of leading zero bits of its sha-256. Three of four keys are on layer 0. */
import { hash } from "node:crypto";

const DIGEST_LENGTH = 32;

export function keyLayer(key: string): number {
  // As text, because a Buffer for the digest costs more than the digest.
  const digest = hash("sha256", key, "binary");
  for (let index = 0; index < DIGEST_LENGTH; index++) {
    const byte = digest.charCodeAt(index);
    if (byte !== 0) return 4 * index + Math.floor((Math.clz32(byte) - 24) / 2);
  }
  return 4 * DIGEST_LENGTH;
}
