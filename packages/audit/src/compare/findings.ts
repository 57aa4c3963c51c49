/** What a comparison of one repository found: paths, the first thousand of them. */

export type FindingKind = "missing" | "extra" | "other";

export interface Differences {
  /** In the repository, and not in the copy. */
  readonly missing: readonly string[];
  /** In the copy, and not in the repository. */
  readonly extra: readonly string[];
  /** In both, with different CIDs. */
  readonly other: readonly string[];
}

/** So many paths are kept of one repository; the comparison ends there. */
export const MAX_FINDINGS = 1_000;

export class Findings implements Differences {
  readonly missing: string[] = [];
  readonly extra: string[] = [];
  readonly other: string[] = [];
  /** Rows that differ and are newer than the commit: not judged. */
  newer = 0;
  /**
   * Of each difference, a block of the repository: the record that the copy lacks, or the node that shows that there is no such record. If the
   * block was there before, so was the difference. null: no block shows it alone.
   */
  readonly evidence: (Uint8Array | null)[] = [];

  get count(): number {
    return this.missing.length + this.extra.length + this.other.length;
  }

  /** There may be more that nobody looked for. */
  get isFull(): boolean {
    return this.count >= MAX_FINDINGS;
  }

  add(kind: FindingKind, path: string, evidence: Uint8Array | null): void {
    if (this.isFull) return;
    this[kind].push(path);
    this.evidence.push(evidence);
  }
}
