/** Repositories as a source: what a composition root makes once, and a tick opens. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import type { SourceItems } from "@firehose-backfill/source/items";
import type { OpenOptions, SourceKit } from "@firehose-backfill/source/kit";
import type { SourceState } from "@firehose-backfill/source/window";
import { openDidClient } from "../did-client.ts";
import { createPoliteClient } from "../http/polite-client.ts";
import { createRepoClient } from "../xrpc/repo-client.ts";
import { archiveRoom } from "./archive-room.ts";
import { hostTurns } from "./host-turns.ts";
import { removeOrphans, removeTakenUp } from "./deferred.ts";
import { type HostKeeper, keepHosts } from "./host-keeper.ts";
import { getMark, removeMarks } from "./marks.ts";
import { listerOf, type ReposKitOptions } from "./lister.ts";
import { openRepoList } from "./repo-list.ts";
import { repoSource } from "./repo-source.ts";
import { walkRepository } from "./repo-walk.ts";
import { newState, readState, type ReposState } from "./state.ts";
import { repoSurveyor } from "./surveyor.ts";

/** A DID takes about 100 bytes. */
const MAX_SEEN = 100_000;
/** A host that may be asked within this time is waited for. */
const MAX_WAIT_MS = 5_000;
/** Accounts whose documents are remembered. */
const MAX_DOCUMENTS = 2_000;
/**
 * Always: a walk asks anew once, when a host says that it does not serve the repository. A document from a moment ago could name the host that the
 * account has just left, and its answer would be taken for the account's status.
 */
const MIN_REFRESH_MS = 0;
/** DID, revision, CID and heads of a record in a batch. */
const BYTES_BESIDE_RECORD = 160;
const LEAST_RANGE_BYTES = 16 * 1024;
const CIDS_A_REQUEST = 200;
const FEWEST_CIDS = 25;

/** Runs over repositories that a process remembers: those of people, and the one that serves resyncs. */
const MAX_MEMORIES = 4;

/** What one process remembers of a run from tick to tick. Good only while nobody else has read on meanwhile. */
interface Memory {
  readonly seen: Set<string>;
  readonly hosts: HostKeeper;
  text: SourceState | null;
}

export function reposKit(options: ReposKitOptions): SourceKit {
  const { clock, items, plcUrl } = options;
  const rules = { allowLoopback: plcUrl.startsWith("http:") };
  const dids = openDidClient({ ...options, maxEntries: MAX_DOCUMENTS, minRefreshMs: MIN_REFRESH_MS });
  const memories = new Map<string, Memory>();

  const memoryOf = (run: OpenOptions): { readonly memory: Memory; readonly isOurs: boolean } => {
    const { runId, state } = run;
    const known = memories.get(runId);
    const isOurs = known !== undefined && known.text === state && !run.isMoved;
    const memory = isOurs ? known : { seen: new Set<string>(), hosts: keepHosts(items, runId), text: state };
    memories.delete(runId);
    memories.set(runId, memory);
    const [oldest] = memories.keys();
    if (memories.size > MAX_MEMORIES && oldest !== undefined) memories.delete(oldest);
    return { memory, isOurs };
  };

  return {
    survey: repoSurveyor(options).survey,

    async open(run) {
      const { scope, runId } = run;
      const untilMs = clock.now() + run.leftMs;
      const { memory: own, isOurs } = memoryOf(run);
      const isCounted = scope.dids.length > 0;
      const state = (await stateOf(items, run)) ?? newState(isCounted ? scope.dids.length : 0);
      if (!isOurs) await removeOrphans(items, runId, state);
      if (run.applied !== null) {
        const applied = await removeMarks(items, runId, run.applied);
        if (applied !== null) await removeTakenUp(items, runId, applied.takenUp);
      }
      const polite = createPoliteClient({
        ...options,
        rules,
        requestsPerSecond: options.hostRate,
        states: own.hosts.states,
        maxWaitMs: MAX_WAIT_MS,
      });
      const lister = listerOf(scope, options);
      const log = (line: string): void => run.log(escapeForLog(line));
      let problem: string | null = null;
      const onProblem = (text: string): void => {
        problem = text;
        log(`[BACKFILL] The list of repositories: ${text}`);
      };
      const archives = archiveRoom();
      const turns = hostTurns(() => clock.now());
      return repoSource({
        runId,
        clock,
        items,
        hosts: own.hosts,
        turns,
        state,
        cursor: run.cursor,
        isCounted,
        log,
        list: openRepoList(lister.list, state.list, { seen: own.seen, maxSeen: isCounted ? 0 : MAX_SEEN, onProblem }),
        open: (repo, { limits, roomLeft }, onDownload, signal) => {
          const deps = {
            clock,
            client: createRepoClient(polite),
            resolveDid: dids.resolveDid,
            earlierKeys: dids.earlierKeys,
            rules,
            hosts: own.hosts,
            turns,
            archives,
            collections: scope.collections,
            sinceMs: run.start.kind === "time" ? run.start.timeMs : null,
            limits: {
              maxRecords: limits.maxRange,
              maxBytes: Math.max(LEAST_RANGE_BYTES, limits.maxRangeBytes),
              bytesBeside: BYTES_BESIDE_RECORD,
            },
            room: limits.maxEvents,
            roomLeft,
            maxBatch: Math.min(CIDS_A_REQUEST, Math.max(FEWEST_CIDS, Math.ceil(1.4 * limits.maxEvents))),
          };
          return walkRepository(repo, deps, onDownload, signal);
        },
        untilMs,
        signal: run.signal,
        isMemoryTight: run.isMemoryTight,
        memoryCheckInterval: run.memoryCheckInterval,
        listProblem: () => problem,
        onState: (text) => {
          own.text = text;
        },
        close: () => {
          polite[Symbol.dispose]();
          lister[Symbol.dispose]();
        },
      });
    },
  };
}

/** null: the run begins. */
async function stateOf(items: SourceItems, run: OpenOptions): Promise<ReposState | null> {
  if (!run.isMoved) return run.state === null ? null : readState(run.state);
  // Batches were lost, or the run was paused at once: it goes on where everything before is applied.
  return run.cursor === null ? null : await getMark(items, run.runId, run.cursor.ordinal);
}
