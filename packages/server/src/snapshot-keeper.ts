/**
 * Takes one Snapshot a second of each open run in this process: for the page, the terminal and the progress lines, and on disk, so
 * that `status` has an answer after the process has ended.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { describeError } from "@firehose-backfill/core/errors";
import { folderTrouble } from "@firehose-backfill/embedded/folder-trouble";
import {
  memoryLine,
  progressCadence,
  progressLine,
  type ProgressCadence,
  runSuffix,
} from "@firehose-backfill/core/log-lines";
import { addSnapshot, emptyHistory, type History } from "@firehose-backfill/status/history";
import { MAX_OPEN_RUNS } from "@firehose-backfill/checkpoint/run";
import { renderJson } from "@firehose-backfill/status/render-json";
import type { RunSummary } from "@firehose-backfill/status/run-summary";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import {
  HISTORY_FILE,
  historyFileOf,
  PAST_FILE,
  readHistory,
  removeOldStateFiles,
  RUNS_FILE,
  SNAPSHOT_FILE,
  snapshotFileOf,
  writeStateFile,
} from "./state-files.ts";

const EVERY_MS = 1_000;
const SAVE_HISTORY_EVERY_MS = 10_000;
/** Runs whose history stays in memory: all open ones, and some that have ended. */
const MOST_KEPT = 2 * MAX_OPEN_RUNS;
const ENDS: ReadonlySet<Snapshot["status"]> = new Set(["paused", "cancelled", "succeeded", "errored"]);

export interface SnapshotKeeperOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  /** At least one. The last element is the one to show where only one is shown. */
  readonly collect: () => Promise<readonly Snapshot[]>;
  /** The finished runs, newest first. */
  readonly past: () => Promise<readonly RunSummary[]>;
  readonly log: (line: string) => void;
  readonly onTick: (snapshots: readonly Snapshot[]) => void;
  readonly onSnapshot: (snapshot: Snapshot, kind: "progress" | "final") => void;
  readonly signal: AbortSignal;
}

export interface SnapshotKeeper {
  /**
   * The history of the run that is shown by default, or of the run with this id. It has the points of this process and, for the
   * default run, earlier ones.
   */
  readonly history: (runId?: string) => History;
  /** Collects snapshots now. */
  fresh(): Promise<readonly Snapshot[]>;
  /** The last lines and the last snapshot. */
  finish(): Promise<Snapshot>;
  readonly done: Promise<void>;
}

/** What is stored about one run between two snapshots. */
interface Kept {
  history: History;
  cadence: ProgressCadence | null;
  /** The status whose end has been reported. */
  told: string;
}

export function keepSnapshots(options: SnapshotKeeperOptions): SnapshotKeeper {
  const { clock, signal } = options;
  let main: string | null = null;
  let stored: History = emptyHistory("");
  const kept = new Map<string, Kept>();
  let historySavedAtMs = Number.NEGATIVE_INFINITY;
  /** The last reported problem with the data folder. */
  let trouble = "";
  /** The runs that were open when the past ones were listed. null: not yet. */
  let listedFor: string | null = null;

  const keptOf = (snapshot: Snapshot): Kept => {
    const runId = snapshot.runId ?? "";
    const known = kept.get(runId);
    if (known !== undefined) return known;
    const fresh: Kept = { history: stored.runId === runId ? stored : emptyHistory(""), cadence: null, told: "" };
    kept.set(runId, fresh);
    return fresh;
  };

  const fresh = async () => {
    const snapshots = await options.collect();
    for (const snapshot of snapshots) {
      const its = keptOf(snapshot);
      its.history = addSnapshot(its.history, snapshot);
    }
    const shown = snapshots.at(-1);
    if (shown === undefined) return snapshots;
    main = shown.runId;
    await save(SNAPSHOT_FILE, renderJson(shown));
    await save(RUNS_FILE, `[${snapshots.map((snapshot) => renderJson(snapshot)).join(",\n")}]`);
    for (const snapshot of snapshots)
      if (snapshot.name !== null) await save(snapshotFileOf(snapshot.name), renderJson(snapshot));
    if (clock.now() - historySavedAtMs >= SAVE_HISTORY_EVERY_MS) await saveHistory();
    return snapshots;
  };

  /** Only when a run has begun or ended: then the list changes, and files of runs that are no longer listed go. */
  const listPast = async (snapshots: readonly Snapshot[]) => {
    const now = snapshots.map(({ runId, status }) => `${runId} ${ENDS.has(status)}`).join();
    if (now === listedFor) return;
    const past = await options.past();
    listedFor = now;
    await save(PAST_FILE, JSON.stringify(past));
    await removeOldStateFiles(options.dataDir, [...snapshots, ...past]);
    for (const runId of [...kept.keys()].slice(0, Math.max(0, kept.size - MOST_KEPT))) kept.delete(runId);
  };

  const history = (runId: string | null = main) => kept.get(runId ?? "")?.history ?? stored;

  const saveHistory = async () => {
    historySavedAtMs = clock.now();
    await save(HISTORY_FILE, JSON.stringify(history()));
    for (const [runId, its] of kept)
      if (runId !== "" && runId !== main) await save(historyFileOf(runId), JSON.stringify(its.history));
  };

  /** If the snapshot cannot be written, that is logged once, and the run continues. */
  const save = async (name: string, text: string) => {
    try {
      await writeStateFile(options.dataDir, name, text);
      trouble = "";
    } catch (error) {
      const now = folderTrouble(error, options.dataDir) ?? describeError(error);
      if (now === trouble) return;
      trouble = now;
      options.log(`[BACKFILL] ${name} cannot be written, the run continues without it: ${now}`);
    }
  };

  const say = (snapshot: Snapshot, kind: "progress" | "final", isOnly: boolean) => {
    const { runId, name } = snapshot;
    if (runId === null) return;
    const suffix = isOnly ? "" : runSuffix({ runId, name });
    options.log(`${progressLine(progressOf(snapshot, kind))}${suffix}`);
    const { usedMb, limitMb } = snapshot.memory;
    options.log(`${memoryLine({ usedMb: usedMb ?? 0, limitMb: limitMb ?? 0 })}${suffix}`);
    options.onSnapshot(snapshot, kind);
  };

  /** True once for each time a run ends or stops: its figures are then printed, whether the process continues or not. */
  const hasCome = (snapshot: Snapshot) => {
    const its = keptOf(snapshot);
    if (snapshot.status === "running" || snapshot.status === "enqueued" || snapshot.status === "pausing") its.told = "";
    if (!ENDS.has(snapshot.status)) return false;
    const isNew = its.told !== snapshot.status;
    its.told = snapshot.status;
    return isNew;
  };

  const loop = async () => {
    stored = (await readHistory(options.dataDir)) ?? stored;
    while (!signal.aborted) {
      try {
        const snapshots = await fresh();
        options.onTick(snapshots);
        await listPast(snapshots);
        const isOnly = snapshots.length === 1;
        for (const snapshot of snapshots) {
          const its = keptOf(snapshot);
          its.cadence ??= progressCadence({ received: snapshot.received, nowMs: clock.now() });
          if (hasCome(snapshot)) say(snapshot, "progress", isOnly);
          else if (snapshot.status === "running" && its.cadence.isDue(snapshot.received, clock.now()))
            say(snapshot, "progress", isOnly);
        }
      } catch (error) {
        options.log(`[BACKFILL] Status: ${describeError(error)}`);
      }
      await clock.sleep(EVERY_MS, signal);
    }
  };

  return {
    history,
    fresh,
    async finish() {
      const snapshots = await fresh();
      await saveHistory();
      await listPast(snapshots).catch(() => undefined);
      const isOnly = snapshots.length === 1;
      let last: Snapshot | null = null;
      for (const snapshot of snapshots) {
        if (ENDS.has(snapshot.status) && !hasCome(snapshot)) options.onSnapshot(snapshot, "final");
        else say(snapshot, "final", isOnly);
        last = snapshot;
      }
      if (last === null) throw new Error("there is no snapshot to end with");
      return last;
    },
    done: loop(),
  };
}

/** When a run ends or stops, the rate of the whole run is shown. */
function progressOf(snapshot: Snapshot, kind: "progress" | "final") {
  const skipped = Object.values(snapshot.skipped).reduce((sum, n) => sum + n, 0);
  const { averageRatePerSecond: average } = snapshot;
  const isWhole = kind === "final" || ENDS.has(snapshot.status);
  const ratePerSecond = (isWhole ? average : (snapshot.ratePerSecond ?? average)) ?? 0;
  return { received: snapshot.received, processed: snapshot.processed, skipped, ratePerSecond };
}
