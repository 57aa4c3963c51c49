/**
 * Looks at repositories as a run would meet them: counts them, finds the hosts of some, and the records of a few by the nodes at the top of their
 * trees. Whoever only plans does not carry the walk along.
 */
import { tidAt } from "@firehose-backfill/core/tid";
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import { UsageError } from "@firehose-backfill/core/errors";
import type { SourceKit, SurveyRequest } from "@firehose-backfill/source/kit";
import { type Stretch, type Survey, SurveyError, type TimedCursor } from "@firehose-backfill/source/survey";
import { openDidClient } from "../did-client.ts";
import { parseEndpoint } from "../http/endpoint.ts";
import { hostTable } from "../http/host-table.ts";
import { createPoliteClient } from "../http/polite-client.ts";
import { openByProof } from "../open-repo.ts";
import { wantedIntervals } from "@firehose-backfill/core/key-interval";
import { createRepoClient } from "../xrpc/repo-client.ts";
import { estimateSize, isArchiveCheaper, type RepoSize } from "./choose-way.ts";
import { hostsOf, requestsOf } from "./survey-hosts.ts";
import { listerOf, type ReposKitOptions } from "./lister.ts";

export type ReposSurveyorOptions = Omit<ReposKitOptions, "items">;

/** The list is counted for so long. */
const COUNTING_MS = 15_000;
/** Repositories that are looked into, and accounts whose hosts are looked up. */
const MAX_SAMPLED = 12;
const MAX_LOCATED = 60;
const LOOKING_MS = 25_000;
const KEPT_DIDS = 200_000;
const MAX_WAIT_MS = 3_000;
/** Of a record of the usual size; the list of the nodes' share is in history of the design. */
const BYTES_A_RECORD = 226;

export function repoSurveyor(options: ReposSurveyorOptions): Pick<SourceKit, "survey"> {
  return { survey: (request, signal) => survey(options, request, signal) };
}

async function survey(options: ReposSurveyorOptions, request: SurveyRequest, signal: AbortSignal): Promise<Survey> {
  const { clock } = options;
  const { scope, host, start } = request;
  const atMs = clock.now();
  const { dids, isCounted } = await countRepos(options, scope, signal);
  if (dids.length === 0) throw new UsageError("plan: no repository is named");
  const located = await locate(options, spread(dids, MAX_LOCATED), signal);
  const sizes = await lookInto(
    options,
    located.slice(0, MAX_SAMPLED * 2),
    { scope, sinceMs: start.kind === "time" ? start.timeMs : null },
    signal,
  );
  if (sizes.length === 0) throw new SurveyError("none of the repositories that were tried can be read");
  const known = dids.length;
  const room = known > 0 ? Number.MAX_SAFE_INTEGER : 0;
  const requests = sizes.map((size) => requestsOf(size, isArchiveCheaper(size, room)));
  const mean = requests.reduce((sum, value) => sum + value, 0) / requests.length;
  const hosts = hostsOf(
    located.map((each) => each.host),
    { known, requestsEach: mean },
  );
  const tried = Math.min(located.length, MAX_SAMPLED * 2);
  return {
    host,
    atMs,
    wantedFromMs: start.kind === "time" ? start.timeMs : null,
    stretches: stretchesOf(sizes, known, atMs),
    isClamped: false,
    endsLater: false,
    oldestKept: null,
    looks: sizes.length,
    repos: {
      known,
      isCounted,
      sampled: sizes.length,
      unreadable: Math.max(0, Math.min(tried, MAX_SAMPLED) - sizes.length),
      requests: Math.round(known * mean),
      hosts,
      requestsPerSecond: options.hostRate,
    },
  };
}

async function countRepos(options: ReposSurveyorOptions, scope: ScopeSettings, signal: AbortSignal) {
  using lister = listerOf(scope, options);
  const untilMs = options.clock.now() + COUNTING_MS;
  const dids = new Set<string>();
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof lister.list>> = await lister.list(cursor, signal);
    for (const did of page.dids) dids.add(did);
    ({ cursor } = page);
  } while (cursor !== null && options.clock.now() < untilMs && dids.size < KEPT_DIDS && !signal.aborted);
  return { dids: [...dids], isCounted: cursor === null };
}

/** Some of them, evenly. */
function spread<T>(all: readonly T[], most: number): readonly T[] {
  const step = Math.max(1, all.length / most);
  const picked: T[] = [];
  for (let at = 0; at < all.length && picked.length < most; at += step) {
    const item = all[Math.floor(at)];
    if (item !== undefined) picked.push(item);
  }
  return picked;
}

type Located = Awaited<ReturnType<typeof locate>>[number];

async function locate(options: ReposSurveyorOptions, dids: readonly string[], signal: AbortSignal) {
  using client = openDidClient(options);
  const rules = { allowLoopback: options.plcUrl.startsWith("http:") };
  const found = await Promise.all(
    dids.map(async (did) => {
      if (signal.aborted) return null;
      const document = await client.resolveDid(did).catch(() => null);
      const endpoint = document?.pds == null ? null : parseEndpoint(document.pds, rules);
      if (document?.key == null || endpoint === null || typeof endpoint === "string") return null;
      return { did, key: document.key, origin: endpoint.origin, host: endpoint.host };
    }),
  );
  const located = found.filter((each) => each !== null);
  if (located.length === 0) throw new SurveyError("of none of the accounts that were tried a host is known");
  return located;
}

/** Side by side; what does not answer in time is left out. */
async function lookInto(
  options: ReposSurveyorOptions,
  located: readonly Located[],
  what: { readonly scope: ScopeSettings; readonly sinceMs: number | null },
  signal: AbortSignal,
): Promise<readonly RepoSize[]> {
  const { clock } = options;
  using polite = createPoliteClient({
    ...options,
    rules: { allowLoopback: options.plcUrl.startsWith("http:") },
    requestsPerSecond: options.hostRate,
    states: hostTable(MAX_LOCATED),
    maxWaitMs: MAX_WAIT_MS,
  });
  using dids = openDidClient(options);
  const client = createRepoClient(polite);
  const enough = new AbortController();
  const ended = AbortSignal.any([signal, enough.signal]);
  const wanted = {
    intervals: wantedIntervals(what.scope.collections),
    sinceTid: what.sinceMs === null ? null : tidAt(what.sinceMs),
  };
  const sizes: RepoSize[] = [];
  const lookAt = async ({ did, key, origin }: Located): Promise<void> => {
    const earlierKeys = () => dids.earlierKeys(did);
    const how = { client, repo: { origin, did }, key, earlierKeys, nowMs: clock.now(), signal: ended };
    const repo = await openByProof(how, { collections: what.scope.collections, after: null });
    sizes.push(await estimateSize(repo, wanted, ended));
    if (sizes.length >= MAX_SAMPLED) enough.abort("enough were looked into");
  };
  const all = Promise.all(located.map((each) => lookAt(each).catch(() => undefined)));
  await Promise.race([all, clock.sleep(LOOKING_MS, ended)]);
  enough.abort("the time is over");
  return sizes.slice(0, MAX_SAMPLED);
}

/** A repository each, which speaks for its neighbours. */
function stretchesOf(sizes: readonly RepoSize[], known: number, atMs: number): readonly Stretch[] {
  const at = (ordinal: number): TimedCursor => ({ ordinal, timeMs: atMs, token: null });
  return sizes.map(({ records, wanted }, index) => {
    const from = Math.floor((index * known) / sizes.length);
    const to = Math.floor(((index + 1) * known) / sizes.length);
    const first = at(from + 1);
    const recordBytes = wanted * BYTES_A_RECORD;
    const counts = { frames: 1, bytes: recordBytes, events: records, matching: wanted, rows: wanted, recordBytes };
    return { from: at(from), to: at(to), sample: { first, last: first, isWhole: to === from + 1, ...counts } };
  });
}
