/**
 * The copy as it stands, for somebody who compares it with the repositories: keys, CIDs and revisions, never the records themselves. Every
 * method @throws SinkError.
 */
import type { ProductionHealth } from "./production-health.ts";

export interface CopyReader extends ProductionHealth, AsyncDisposable {
  /** Repositories of which an operation was applied, in the order of their DIDs, above `after`. */
  repos(after: string | null, limit: number): Promise<readonly string[]>;
  /** How many of them there are. Where counting would take long it is an estimate. */
  countRepos(): Promise<RepoCount>;
  /** `size` of them, each as likely as every other one, in the order of their DIDs; all, where there are not so many. */
  sampleRepos(size: number, random: () => number): Promise<readonly string[]>;
  /**
   * Shows one repository as it is at one moment. What `use` reads belongs together; it is done soon, because the database keeps old rows
   * until then.
   */
  look<T>(did: string, use: (picture: RepoPicture) => Promise<T>): Promise<T>;
}

export interface RepoCount {
  readonly count: number;
  readonly isExact: boolean;
}

export interface RepoPicture {
  /** The newest revision of which something was applied; null: none. */
  readonly rev: string | null;
  /** What lies between two paths, neither of them included, in pages of bounded size, tombstones too. In the order of paths. */
  entries(between: PathRange): AsyncIterable<readonly CopyEntry[]>;
}

export interface PathRange {
  readonly above: string;
  readonly below: string;
}

export interface CopyEntry {
  /** `collection/rkey`. */
  readonly path: string;
  /** As text. null: the record is deleted. */
  readonly cid: string | null;
  readonly rev: string;
}
