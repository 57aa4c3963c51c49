/** What an audit found, in the form that scripts read. It is bounded, however many repositories differ. */
import type { AuditConfidence } from "@firehose-backfill/core/audit-note";
import { confidenceOf } from "./confidence.ts";
import type { RepoVerdict, Verdict } from "./verdict.ts";

export type { RepoVerdict, Verdict };

export type Counts = Readonly<Record<Verdict, number>>;

export interface AuditReport extends Counts {
  /** In all: the sum of the five. */
  readonly audited: number;
  /** The first thousand that are not equal; those that differ come before those that cannot be reached. In the order of their DIDs. */
  readonly repos: readonly RepoVerdict[];
  /** What a random sample says of the whole copy; null: it was none, or it was not finished. */
  readonly confidence: AuditConfidence | null;
  readonly scope: AuditScope;
  /** False: it was stopped. */
  readonly isComplete: boolean;
  /** Up to this DID everything was looked at: where a later audit goes on. null: nothing was. */
  readonly after: string | null;
}

export interface AuditScope {
  readonly repos: "all" | "sample" | "named";
  /** Compared were these collections alone; null: all. */
  readonly collections: readonly string[] | null;
}

/** Kept of the repositories that are not equal. */
export const MAX_REPOS = 1_000;
/** Paths of all of them together: about 8 MB. */
const MAX_PATHS = 100_000;
/** What matters most comes first where not all can be kept. */
const BY_WEIGHT: readonly Verdict[] = ["differing", "behind", "unreachable", "inactive"];

export class ReportBuilder {
  readonly #counts: Record<Verdict, number> = { equal: 0, behind: 0, differing: 0, unreachable: 0, inactive: 0 };
  readonly #kept = new Map<Verdict, RepoVerdict[]>();
  #paths = 0;

  get counts(): Counts {
    return this.#counts;
  }

  get audited(): number {
    return Object.values(this.#counts).reduce((sum, count) => sum + count, 0);
  }

  add(repo: RepoVerdict): void {
    this.#counts[repo.verdict] += 1;
    if (repo.verdict === "equal") return;
    const kept = this.#kept.get(repo.verdict) ?? [];
    this.#kept.set(repo.verdict, kept);
    if (kept.length < MAX_REPOS) kept.push(this.#withinRoom(repo));
  }

  build(rest: {
    readonly scope: AuditScope;
    readonly isComplete: boolean;
    readonly after: string | null;
    /** Of the whole copy. */
    readonly population: { readonly count: number; readonly isExact: boolean };
  }): AuditReport {
    const { scope, isComplete, after, population } = rest;
    const { differing, behind, equal } = this.#counts;
    const sample = {
      of: population.count,
      isExact: population.isExact,
      sampled: equal + behind + differing,
      differing,
      notEqual: differing + behind,
    };
    const repos = BY_WEIGHT.flatMap((verdict) => this.#kept.get(verdict) ?? []).slice(0, MAX_REPOS);
    return {
      audited: this.audited,
      ...this.#counts,
      repos: repos.sort((left, right) => (left.did < right.did ? -1 : 1)),
      confidence: scope.repos === "sample" && isComplete ? confidenceOf(sample) : null,
      scope,
      isComplete,
      after,
    };
  }

  #withinRoom(repo: RepoVerdict): RepoVerdict {
    const length = repo.missing.length + repo.extra.length + repo.other.length;
    if (this.#paths + length <= MAX_PATHS) {
      this.#paths += length;
      return repo;
    }
    return { ...repo, missing: [], extra: [], other: [], isCut: true };
  }
}
