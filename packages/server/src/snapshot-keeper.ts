/**
 * Takes one Snapshot a second of the run in this process: for the page, the terminal and the progress lines, and on disk, so
 * that `status` has an answer after the process has ended.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { describeError } from "@firehose-backfill/core/errors";
import { folderTrouble } from "@firehose-backfill/embedded/folder-trouble";
import { memoryLine, progressCadence, progressLine, type ProgressCadence } from "@firehose-backfill/core/log-lines";
import { addSnapshot, emptyHistory, type History } from "@firehose-backfill/status/history";
import { renderJson } from "@firehose-backfill/status/render-json";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { HISTORY_FILE, readHistory, SNAPSHOT_FILE, writeStateFile } from "./state-files.ts";

const EVERY_MS = 1_000;
const SAVE_HISTORY_EVERY_MS = 10_000;
const ENDS: ReadonlySet<Snapshot["status"]> = new Set(["paused", "cancelled", "succeeded", "errored"]);

export interface SnapshotKeeperOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly collect: () => Promise<Snapshot>;
  readonly log: (line: string) => void;
  readonly onTick: (snapshot: Snapshot) => void;
  readonly onSnapshot: (snapshot: Snapshot, kind: "progress" | "final") => void;
  readonly signal: AbortSignal;
}

export interface SnapshotKeeper {
  readonly latest: () => Snapshot | null;
  readonly history: () => History;
  /** Collected now. */
  fresh(): Promise<Snapshot>;
  /** The last lines and the last snapshot. */
  finish(): Promise<Snapshot>;
  readonly done: Promise<void>;
}

export function keepSnapshots(options: SnapshotKeeperOptions): SnapshotKeeper {
  const { clock, signal } = options;
  let latest: Snapshot | null = null;
  let history: History = emptyHistory("");
  let historySavedAtMs = Number.NEGATIVE_INFINITY;
  let cadence: ProgressCadence | null = null;
  /** The last reported problem with the data folder. */
  let trouble = "";
  /** The run and status whose end has been reported. */
  let told = "";

  const fresh = async () => {
    latest = await options.collect();
    history = addSnapshot(history, latest);
    await save(SNAPSHOT_FILE, renderJson(latest));
    if (clock.now() - historySavedAtMs >= SAVE_HISTORY_EVERY_MS) await saveHistory();
    return latest;
  };

  const saveHistory = async () => {
    historySavedAtMs = clock.now();
    await save(HISTORY_FILE, JSON.stringify(history));
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

  const say = (snapshot: Snapshot, kind: "progress" | "final") => {
    if (snapshot.runId === null) return;
    options.log(progressLine(progressOf(snapshot, kind)));
    options.log(memoryLine({ usedMb: snapshot.memory.usedMb ?? 0, limitMb: snapshot.memory.limitMb ?? 0 }));
    options.onSnapshot(snapshot, kind);
  };

  /** True once for each time a run ends or stops: its figures are then printed, whether the process continues or not. */
  const hasCome = (snapshot: Snapshot) => {
    if (snapshot.status === "running" || snapshot.status === "enqueued" || snapshot.status === "pausing") told = "";
    if (!ENDS.has(snapshot.status)) return false;
    const end = `${snapshot.runId} ${snapshot.status}`;
    const isNew = told !== end;
    told = end;
    return isNew;
  };

  const loop = async () => {
    history = (await readHistory(options.dataDir)) ?? history;
    while (!signal.aborted) {
      try {
        const snapshot = await fresh();
        options.onTick(snapshot);
        cadence ??= progressCadence({ received: snapshot.received, nowMs: clock.now() });
        if (hasCome(snapshot)) say(snapshot, "progress");
        else if (snapshot.status === "running" && cadence.isDue(snapshot.received, clock.now()))
          say(snapshot, "progress");
      } catch (error) {
        options.log(`[BACKFILL] Status: ${describeError(error)}`);
      }
      await clock.sleep(EVERY_MS, signal);
    }
  };

  return {
    latest: () => latest,
    history: () => history,
    fresh,
    async finish() {
      const snapshot = await fresh();
      await saveHistory();
      if (ENDS.has(snapshot.status) && !hasCome(snapshot)) options.onSnapshot(snapshot, "final");
      else say(snapshot, "final");
      return snapshot;
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
