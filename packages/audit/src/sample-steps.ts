/**
 * The audit of a small sample, in steps: after each step its state is plain data of bounded size, so that a function that lives for a minute
 * can go on with it a minute later. Repositories that were not finished in a step are begun again in the next one.
 */
import type { AuditedBy, AuditNote } from "@firehose-backfill/core/audit-note";
import type { RepoCount } from "@firehose-backfill/sink/copy-reader";
import { auditRepo, type RepoAuditDeps } from "./audit-repo.ts";
import { confidenceOf } from "./confidence.ts";
import { inOrder } from "./in-order.ts";
import { addVerdict, EMPTY_TALLY, noteOf, type Tally } from "./note.ts";
import { withoutRows } from "./verdict.ts";

export interface SampleState {
  readonly population: RepoCount;
  /** Not audited yet. */
  readonly waiting: readonly Waiting[];
  readonly tally: Tally;
}

interface Waiting {
  readonly did: string;
  /** How often a step ended while it was compared with others, or its host did not answer. */
  readonly tries: number;
}

export interface StepOptions extends RepoAuditDeps {
  /** No repository is begun after it. */
  readonly beginUntilMs: number;
  /** Ends the step: what is not finished is begun again in the next one. */
  readonly signal: AbortSignal;
}

/** A step has so many at once: one request at a time goes to a host, so it is other hosts that are asked meanwhile. */
const AT_ONCE = 8;
/** A repository that takes longer than a step, or whose host does not answer, is given up after so many. */
const MOST_TRIES = 3;

/** @throws SinkError */
export async function drawSample({
  copy,
  random,
  size,
}: Pick<RepoAuditDeps, "copy"> & { readonly random: () => number; readonly size: number }): Promise<SampleState> {
  const population = await copy.countRepos();
  const dids = await copy.sampleRepos(size, random);
  return { population, waiting: dids.map((did) => ({ did, tries: 0 })), tally: EMPTY_TALLY };
}

/** @throws SinkError; the state of before is still good then */
export async function auditStep(state: SampleState, options: StepOptions): Promise<SampleState> {
  const { clock, beginUntilMs, signal } = options;
  let { tally } = state;
  const waiting = new Map(state.waiting.map((each) => [each.did, each]));
  const others = state.waiting.filter(({ tries }) => tries < MOST_TRIES - 1);
  // For the last time each is compared alone, and the first of them has the whole step: so it was not another one that took the time.
  const isAlone = others.length === 0;
  const due = isAlone ? state.waiting : others.toSorted((left, right) => left.tries - right.tries);
  async function* begun(): AsyncGenerator<string, void, undefined> {
    for (const { did } of due) {
      if (clock.now() >= beginUntilMs) return;
      yield did;
    }
  }
  await inOrder(begun(), { atOnce: isAlone ? 1 : AT_ONCE, signal }, async (did, stop) => {
    const audited = await auditRepo(did, options, stop);
    const isGivenUp = isAlone && (audited === null ? did === due[0]?.did : true);
    if ((audited === null || audited.mayHelp) && !isGivenUp) {
      const tries = waiting.get(did)?.tries ?? 0;
      waiting.set(did, { did, tries: isAlone ? tries : tries + 1 });
    } else {
      waiting.delete(did);
      tally = addVerdict(tally, audited?.verdict ?? withoutRows(did, "unreachable", TOO_LONG));
    }
    return audited !== null;
  });
  return { ...state, waiting: [...waiting.values()], tally };
}

const TOO_LONG = "it takes longer than a scheduled audit has: use the command audit --dids";

/** Once nothing is waiting. */
export function noteOfSample(
  { population, tally }: SampleState,
  about: { readonly atMs: number; readonly by: AuditedBy; readonly collections: readonly string[] },
): AuditNote {
  const { equal, behind, differing } = tally.counts;
  const confidence = confidenceOf({
    of: population.count,
    isExact: population.isExact,
    sampled: equal + behind + differing,
    differing,
    notEqual: differing + behind,
  });
  const { atMs, by } = about;
  const collections = about.collections.length === 0 ? null : about.collections;
  return noteOf(tally, { atMs, by, repos: "sample", collections, confidence });
}

/** null: it is none, and a new sample is to be drawn. */
export function parseSampleState(value: unknown): SampleState | null {
  if (typeof value !== "object" || value === null) return null;
  if (!("population" in value) || !("waiting" in value) || !("tally" in value)) return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only auditStep writes it, under a key of its own
  return value as SampleState;
}
