/** What the end of a window means for the run: go on, stop the tick, or change the run's state. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Lease } from "@firehose-backfill/checkpoint/window";
import { sourcesOf } from "@firehose-backfill/core/run-state";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import type { Window } from "@firehose-backfill/firehose/types";
import { riseAllowedBefore } from "@firehose-backfill/throttle/back-off";
import type { ReaderDeps } from "./deps.ts";
import { paceOf } from "./pace.ts";

/** Reasons that only `resume --from` can answer: the cursor and the host do not fit together any more. */
export const REASON_CURSOR_AHEAD = "the cursor is ahead of the host";
export const REASON_SEQ_WENT_BACK = "the host's sequence numbers went back";
export const REASON_SILENT = "the host is silent";
export const REASON_SILENT_ON_CURSOR = "the host is silent on our cursor";

/** null: read on. Otherwise why the tick ends. */
export async function applyWindowEnd(deps: ReaderDeps, lease: Lease, run: Run, window: Window): Promise<string | null> {
  if (window.to === null) await noteWithoutWindow(deps, lease, run, window);
  const kind = window.endedBecause;
  // The host's own words: they go into states, errors and logs.
  const detail = window.detail === null ? null : escapeForLog(window.detail);
  switch (kind) {
    case "events":
    case "bytes":
    case "time":
    case "idle":
    case "bad-frame":
      return null;
    case "caught-up":
    case "quiet":
      if (window.to === null && run.readerCursor !== null)
        await deps.store.noteStream(lease, { epoch: run.epoch, target: run.readerCursor });
      return kind;
    case "aborted":
      return "stopped";
    case "memory":
      await backOffForMemory(deps, run);
      return "memory";
    case "unreachable":
      await deps.store.addError(run.runId, {
        ...error(deps, `${run.host}: ${detail ?? "unreachable"}`),
        kind: "unreachable",
      });
      return `unreachable: ${detail ?? run.host}`;
    case "host-silent":
      return stop(deps, run, "errored", REASON_SILENT);
    case "silent-on-cursor":
      return stop(deps, run, "errored", REASON_SILENT_ON_CURSOR);
    case "refused":
      return stop(deps, run, "errored", `the host refused: ${detail ?? "no reason given"}`);
    case "cursor-ahead":
      return stop(deps, run, "pausing", REASON_CURSOR_AHEAD);
    case "seq-went-back":
      return stop(deps, run, "pausing", REASON_SEQ_WENT_BACK);
    default: {
      const unreachable: never = kind;
      return unreachable;
    }
  }
}

/** Only these can be left by `resume --from` alone. */
export function needsNewPosition(reason: string | null): boolean {
  return reason === REASON_CURSOR_AHEAD || reason === REASON_SEQ_WENT_BACK;
}

async function noteWithoutWindow(deps: ReaderDeps, lease: Lease, run: Run, window: Window): Promise<void> {
  const hasNews = (window.hostSeen && !run.hostSeen) || window.brokenFrames !== run.brokenFrames;
  if (!hasNews) return;
  await deps.store.noteStream(lease, {
    epoch: run.epoch,
    brokenFrames: window.brokenFrames,
    ...(window.hostSeen ? { hostSeen: true } : {}),
  });
}

async function stop(deps: ReaderDeps, run: Run, to: "errored" | "pausing", reason: string): Promise<string> {
  await deps.store.transition(run.runId, sourcesOf(to), to, { reason });
  await deps.store.addError(run.runId, error(deps, reason));
  deps.log(`[BACKFILL] ${run.host}: ${reason}`);
  return reason;
}

async function backOffForMemory(deps: ReaderDeps, run: Run): Promise<void> {
  const nowMs = deps.clock.now();
  await deps.store.addMemoryPause(run.paceId, nowMs);
  const notAfterMs = riseAllowedBefore(nowMs, paceOf(run).effectiveDelayMs);
  await deps.store.raiseBackOff(run.paceId, { reason: "memory", notAfterMs, nowMs });
}

function error(deps: ReaderDeps, message: string) {
  return { atMs: deps.clock.now(), source: "reader", message };
}
