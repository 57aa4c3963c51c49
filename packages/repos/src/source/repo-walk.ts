/**
 * One repository, from where it stands to its end: found by its DID, opened by a proof or by its archive, walked. What goes wrong becomes a step that says what to
 * do with it; nothing is thrown.
 */
import type { ResolveDid } from "@firehose-backfill/core/did-resolver";
import type { DidDocument } from "@firehose-backfill/core/did-document";
import type { Clock } from "@firehose-backfill/core/clock";
import type { PublicKey } from "@firehose-backfill/core/signature";
import { tidAt } from "@firehose-backfill/core/tid";
import type { EarlierKeys } from "../did-client.ts";
import { ArchiveTooLargeError, BadRepoError, MissingBlocksError, TornArchiveError } from "../errors.ts";
import { type EndpointRules, parseEndpoint } from "../http/endpoint.ts";
import { isSlow, NEW_HOST, readyAtMs } from "../http/host-state.ts";
import { openByArchive, openByProof, type OpenRepo } from "../open-repo.ts";
import { walkRepo } from "../walk-repo.ts";
import { wantedIntervals } from "@firehose-backfill/core/key-interval";
import { intervalsAfter } from "../walk/key-intervals.ts";
import type { RangeLimits } from "../walk/range-cutter.ts";
import type { RepoClient } from "../xrpc/repo-client.ts";
import { RepoUnavailableError } from "../xrpc/xrpc-error.ts";
import type { ArchiveRoom } from "./archive-room.ts";
import { isArchiveCheaper, isSmall, MAX_ARCHIVE_BYTES, MAX_SMALL_ARCHIVE_BYTES, sizeOf } from "./choose-way.ts";
import type { HostKeeper } from "./host-keeper.ts";
import type { HostTurns } from "./host-turns.ts";
import { dead, type Found, giveUp, judge, MAX_ATTEMPTS } from "./judge-trouble.ts";
import type { RepoStep } from "./repo-step.ts";
import type { RepoInWork } from "./state.ts";

export interface WalkerDeps {
  readonly clock: Clock;
  readonly client: RepoClient;
  readonly resolveDid: ResolveDid;
  readonly earlierKeys: EarlierKeys;
  readonly rules: EndpointRules;
  readonly hosts: HostKeeper;
  readonly turns: HostTurns;
  readonly archives: ArchiveRoom;
  readonly collections: readonly string[];
  readonly sinceMs: number | null;
  readonly limits: RangeLimits;
  /** Records that the tick may take, as far as it is known when the repository is opened. */
  readonly room: number;
  /** Records that the tick may still take. */
  readonly roomLeft: () => number;
  readonly maxBatch: number;
}

const MAX_HELD_BYTES = 4 * 1_048_576;

/** `onDownload`: whether an archive is on its way now. Ends with a step that is no range. */
export async function* walkRepository(
  repo: RepoInWork,
  deps: WalkerDeps,
  onDownload: (isOnItsWay: boolean) => void,
  signal: AbortSignal,
): AsyncGenerator<RepoStep, void, undefined> {
  const { did } = repo;
  let after = repo.after;
  let attempts = repo.attempts;
  let isWalkOnly = repo.isWalkOnly;
  let isNeverArchive = repo.isWalkOnly;
  let { records, estimated } = repo;
  let isResolvedAnew = false;
  let found: Found | null = null;
  let isAnswered = false;

  const find = async (forceRefresh: boolean): Promise<Found | RepoStep> =>
    usable(await deps.resolveDid(did, { forceRefresh }), deps.rules);

  /** The proof first: it is small, and says how much there is. */
  const open = async (from: string | null): Promise<OpenRepo> => {
    const { endpoint, key } = found ?? unreachable();
    const earlierKeys = () => deps.earlierKeys(did);
    const address = { origin: endpoint.origin, did };
    const options = { client: deps.client, repo: address, key, earlierKeys, nowMs: deps.clock.now(), signal };
    const proved = await openByProof(options, { collections: deps.collections, after: from });
    isAnswered = true;
    if (isWalkOnly) return proved;
    const wanted = {
      intervals: intervalsAfter(wantedIntervals(deps.collections), from),
      sinceTid: deps.sinceMs === null ? null : tidAt(deps.sinceMs),
    };
    const isWhole = from === null && isSmall(proved, wanted);
    if (!isWhole && !deps.archives.tryTake(did)) return proved;
    isWalkOnly = true;
    try {
      if (isWhole) return await openByArchive(options, MAX_SMALL_ARCHIVE_BYTES);
      const size = await sizeOf(proved, wanted, signal);
      if (size !== null && estimated === 0) estimated = records + size.wanted;
      if (size === null || !isArchiveCheaper(size, deps.room)) {
        deps.archives.giveBack(did);
        isNeverArchive = size === null || !isArchiveCheaper(size, Number.POSITIVE_INFINITY);
        return proved;
      }
      onDownload(true);
      return await openByArchive(options, MAX_ARCHIVE_BYTES);
    } catch (error) {
      deps.archives.giveBack(did);
      // The commit has moved on since the proof: the walk notices, and takes the new one.
      if (error instanceof MissingBlocksError) return proved;
      if (error instanceof ArchiveTooLargeError || error instanceof TornArchiveError) return proved;
      throw error;
    } finally {
      onDownload(false);
    }
  };

  try {
    for (;;) {
      try {
        if (found === null) {
          const looked = await find(isResolvedAnew);
          if ("kind" in looked) {
            yield looked;
            return;
          }
          found = looked;
        }
        const { host: name } = found.endpoint;
        // Another process may have found out that it is slow.
        if (deps.hosts.states.get(name) === undefined) await deps.hosts.load(name);
        await deps.turns.take(name, did, () => isSlow(deps.hosts.states.get(name) ?? NEW_HOST), signal);
        if (attempts >= MAX_ATTEMPTS) {
          yield dead(
            "too-slow",
            `${found.endpoint.host} is too slow: nothing of the repository could be read in ${attempts} ticks`,
          );
          return;
        }
        const host = await deps.hosts.load(name);
        const nowMs = deps.clock.now();
        // When it may be asked again, one request finds out whether it is still so.
        const gaveUp = readyAtMs(host) > nowMs ? giveUp(found, host, nowMs) : null;
        if (gaveUp !== null) {
          yield gaveUp;
          return;
        }
        const walk = { open, collections: deps.collections, after, sinceMs: deps.sinceMs, limits: deps.limits };
        for await (const range of walkRepo({
          ...walk,
          signal,
          maxBatch: deps.maxBatch,
          maxHeldBytes: MAX_HELD_BYTES,
          roomLeft: deps.roomLeft,
        })) {
          after = range.to;
          attempts = 0;
          records += range.records.length;
          yield { kind: "range", range, isWalkOnly: isNeverArchive, estimated };
        }
        yield signal.aborted ? { kind: "stopped" } : { kind: "finished" };
        return;
      } catch (error) {
        if (signal.aborted) {
          yield { kind: "stopped" };
          return;
        }
        const isStale = error instanceof RepoUnavailableError || isBadSignature(error);
        if (!isStale || isResolvedAnew) {
          yield judge(error, { found, attempts, isAnswered, deps });
          return;
        }
        // Moved, or its key has changed: what the document says now.
        isResolvedAnew = true;
        const looked = await find(true).catch((trouble: unknown) =>
          judge(trouble, { found, attempts, isAnswered, deps }),
        );
        if ("kind" in looked) {
          yield looked;
          return;
        }
        const isSame = looked.endpoint.origin === found?.endpoint.origin && isSameKey(looked.key, found.key);
        if (isSame) {
          yield judge(error, { found, attempts, isAnswered, deps });
          return;
        }
        found = looked;
      }
    }
  } finally {
    deps.archives.giveBack(did);
    deps.turns.giveBack(did);
  }
}

function usable(document: DidDocument | null, rules: EndpointRules): Found | RepoStep {
  if (document === null) return dead("no-did-document", "there is no DID document of this account, or none any more");
  const { pds, key, isTombstone } = document;
  if (isTombstone) return { kind: "inactive", state: "tombstone" };
  if (pds === null) return dead("no-endpoint", "the DID document names no server of the repository");
  if (key === null) return dead("no-signing-key", "the DID document names no signing key that can be used");
  const endpoint = parseEndpoint(pds, rules);
  if (typeof endpoint === "string") return dead("forbidden-address", endpoint);
  return { endpoint, key };
}

function isBadSignature(error: unknown): boolean {
  return error instanceof BadRepoError && error.reason === "bad-signature";
}

function isSameKey(left: PublicKey, right: PublicKey): boolean {
  return left.kind === right.kind && Buffer.compare(left.bytes, right.bytes) === 0;
}

function unreachable(): never {
  throw new Error("a repository is opened before its host is known");
}
