/**
 * Remembers the frames that were recorded as dead entries, by a digest of their bytes. A host may send them again on every
 * connection, and they must not count twice. The number is bounded. A forgotten frame is recorded again, as the same row.
 */
import { hash } from "node:crypto";

const MOST_REMEMBERED = 1_000;

export class SetAside {
  readonly #digests = new Set<string>();

  add(bytes: Buffer): void {
    const [oldest] = this.#digests;
    if (this.#digests.size >= MOST_REMEMBERED && oldest !== undefined) this.#digests.delete(oldest);
    this.#digests.add(digestOf(bytes));
  }

  has(bytes: Buffer): boolean {
    return this.#digests.size > 0 && this.#digests.has(digestOf(bytes));
  }
}

function digestOf(bytes: Buffer): string {
  return hash("sha256", bytes, "binary");
}
