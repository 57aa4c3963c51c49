/** What a list of runs shows of each: the same words in the terminal and on the page. Pure. */
import { formatDuration, formatRate } from "./format.ts";
import { headlineDetail, moodOf, type Mood, shareText } from "./headline.ts";
import type { Snapshot } from "./snapshot.ts";

export interface RunRow {
  readonly runId: string;
  /** Its name; its id where it has none. */
  readonly title: string;
  readonly source: string;
  readonly status: Snapshot["status"];
  readonly mood: Mood;
  /** The verdict without the name of the status; "": nothing to add. */
  readonly detail: string;
  /** 0 to 1; null: not known. */
  readonly progress: number | null;
  readonly share: string;
  /** `1.2 evt/s (48 %)`: the share is of the pace. */
  readonly rate: string;
  readonly lag: string;
  readonly waitsFor: string;
  readonly fallsOff: string;
}

const UNKNOWN = "--";

/** null: it is not a snapshot of a run. */
export function runRow(snapshot: Snapshot): RunRow | null {
  const { runId, name, status, lagSeconds, fallsOffInSeconds } = snapshot;
  if (runId === null) return null;
  return {
    runId,
    title: name ?? runId,
    source: snapshot.host ?? UNKNOWN,
    status,
    mood: moodOf(snapshot),
    detail: headlineDetail(snapshot),
    progress: snapshot.progress,
    share: shareText(snapshot),
    rate: rateText(snapshot),
    lag: lagSeconds === null ? UNKNOWN : formatDuration(lagSeconds),
    waitsFor: waitsFor(snapshot),
    fallsOff: fallsOffInSeconds === null ? UNKNOWN : formatDuration(fallsOffInSeconds),
  };
}

/** Newest first. `snapshots` are in the order in which the runs began. */
export function runRows(snapshots: readonly Snapshot[]): readonly RunRow[] {
  return snapshots.toReversed().flatMap((snapshot) => runRow(snapshot) ?? []);
}

function rateText({ ratePerSecond, allowedRatePerSecond }: Snapshot): string {
  if (ratePerSecond === null) return UNKNOWN;
  const rate = `${formatRate(ratePerSecond)} evt/s`;
  if (allowedRatePerSecond === null || allowedRatePerSecond <= 0) return rate;
  // Rounded down, so that the shares of all runs together are never more than the pace.
  return `${rate} (${Math.floor((ratePerSecond / allowedRatePerSecond) * 100)} %)`;
}

function waitsFor(snapshot: Snapshot): string {
  const { status, outage, waiting, verdict } = snapshot;
  switch (status) {
    case "enqueued":
      return "the next tick";
    case "paused":
    case "errored":
      return "resume";
    case "running":
    case "pausing":
    case "cancelling":
      // The verdict beside it says why.
      if (outage !== null) return outage.text.startsWith("the relay") ? "the relay" : "the next attempt";
      if (waiting !== null) return waiting.for;
      return verdict.level === "waiting" && status === "running" ? verdict.text : "nothing";
    case "none":
    case "cancelled":
    case "succeeded":
      return UNKNOWN;
    default: {
      const unreachable: never = status;
      return unreachable;
    }
  }
}

/** `20 runs are open: 17 without trouble, 2 wait, 1 needs attention` */
export function runsHeadline(snapshots: readonly Snapshot[]): { readonly text: string; readonly mood: Mood } {
  const count = (level: Snapshot["verdict"]["level"]) =>
    snapshots.filter(({ verdict }) => verdict.level === level).length;
  const [ok, waiting, attention, failed] = [count("ok"), count("waiting"), count("attention"), count("failed")];
  const parts = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(attention > 0 ? [`${attention} ${attention === 1 ? "needs" : "need"} attention`] : []),
    ...(waiting > 0 ? [`${waiting} ${waiting === 1 ? "waits" : "wait"}`] : []),
    ...(ok > 0 ? [`${ok} without trouble`] : []),
  ];
  const open = `${snapshots.length} ${snapshots.length === 1 ? "run is" : "runs are"} open`;
  const mood = failed > 0 ? "bad" : attention > 0 || waiting > 0 ? "warn" : "good";
  return { text: `${open}: ${parts.join(", ")}`, mood };
}
