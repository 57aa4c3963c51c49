/**
 * An audit of the copy: which repositories, several hosts side by side, those that could not be reached once more at the end. It changes nothing,
 * neither here nor there.
 */
import type { RepoCount } from "@firehose-backfill/sink/copy-reader";
import { auditRepo, type RepoAuditDeps } from "./audit-repo.ts";
import { inOrder } from "./in-order.ts";
import { type AuditReport, type Counts, ReportBuilder } from "./report.ts";
import type { RepoVerdict } from "./verdict.ts";

export type AuditedRepos =
  | { readonly kind: "all" }
  | { readonly kind: "sample"; readonly size: number }
  | { readonly kind: "named"; readonly dids: readonly string[] };

export interface AuditOptions extends RepoAuditDeps {
  readonly repositories: AuditedRepos;
  /** Only DIDs above it; null: from the first one. */
  readonly after: string | null;
  /** In [0, 1). */
  readonly random: () => number;
  readonly onProgress: (progress: AuditProgress) => void;
  /** Called for each repository, once it is judged for good; the report holds the first thousand that are not equal. */
  readonly onVerdict?: (verdict: RepoVerdict) => void;
  readonly signal: AbortSignal;
}

export interface AuditProgress {
  readonly counts: Counts;
  readonly audited: number;
  /** To be asked once more at the end. */
  readonly deferred: number;
  /** null: not known. */
  readonly of: number | null;
}

/** One request at a time goes to a host, so it is other hosts that are asked meanwhile. */
const AT_ONCE = 8;
const PAGE = 1_000;
/** Beyond it what cannot be reached is not asked again. */
const MAX_DEFERRED = 10_000;

/** @throws SinkError; what was found until then is lost */
export async function auditCopy(options: AuditOptions): Promise<AuditReport> {
  const { repositories, collections, signal, copy } = options;
  const population: RepoCount =
    repositories.kind === "named" ? { count: repositories.dids.length, isExact: true } : await copy.countRepos();
  const dids = await repositoriesOf(options);
  const report = new ReportBuilder();
  const add = (verdict: RepoVerdict): void => {
    report.add(verdict);
    options.onVerdict?.(verdict);
  };
  const deferred = new Map<string, RepoVerdict>();
  const of = options.after !== null ? null : repositories.kind === "all" ? population.count : (dids.count ?? null);
  const audit =
    (mayDefer: boolean) =>
    async (did: string, stop: AbortSignal): Promise<boolean> => {
      const audited = await auditRepo(did, options, stop);
      if (audited === null) return false;
      const isDeferred = mayDefer && audited.mayHelp && deferred.size < MAX_DEFERRED;
      if (isDeferred) deferred.set(did, audited.verdict);
      else {
        deferred.delete(did);
        add(audited.verdict);
      }
      options.onProgress({ counts: report.counts, audited: report.audited, deferred: deferred.size, of });
      return true;
    };
  const { doneUpTo } = await inOrder(dids.each(), { atOnce: AT_ONCE, signal }, audit(true));
  await inOrder(listed([...deferred.keys()]), { atOnce: AT_ONCE, signal }, audit(false));
  for (const verdict of deferred.values()) add(verdict);
  return report.build({
    scope: { repos: repositories.kind, collections: collections.length === 0 ? null : collections },
    isComplete: !signal.aborted,
    after: doneUpTo ?? options.after,
    population,
  });
}

interface Dids {
  /** null: not known before they are read. */
  readonly count: number | null;
  readonly each: () => AsyncGenerator<string, void, undefined>;
}

/** In ascending order. */
async function repositoriesOf({ repositories, after, copy, random, signal }: AuditOptions): Promise<Dids> {
  if (repositories.kind === "all") return { count: null, each: () => pagesOf(copy, after, signal) };
  const dids =
    repositories.kind === "named"
      ? [...new Set(repositories.dids)].sort()
      : await copy.sampleRepos(repositories.size, random);
  const rest = dids.filter((did) => after === null || did > after);
  return { count: rest.length, each: () => listed(rest) };
}

async function* pagesOf(
  copy: AuditOptions["copy"],
  after: string | null,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  let last = after;
  while (!signal.aborted) {
    const page = await copy.repos(last, PAGE);
    yield* page;
    last = page.at(-1) ?? null;
    if (last === null || page.length < PAGE) return;
  }
}

async function* listed(dids: readonly string[]): AsyncGenerator<string, void, undefined> {
  yield* dids;
}
