/** What the end of a window means for the run: go on, stop the tick, or change the run's state. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Lease } from "@firehose-backfill/checkpoint/window";
import { sourcesOf } from "@firehose-backfill/core/run-state";
import { UNREACHABLE } from "@firehose-backfill/source/verdict";
import type { Window } from "@firehose-backfill/source/window";
import { riseAllowedBefore } from "@firehose-backfill/throttle/back-off";
import type { ReaderDeps } from "./deps.ts";
import { paceOf } from "./pace.ts";

/** null: read on. Otherwise why the tick ends. */
export async function applyWindowEnd(deps: ReaderDeps, lease: Lease, run: Run, window: Window): Promise<string | null> {
  const { verdict } = window;
  if (window.to === null && window.state !== null && window.state !== run.sourceState)
    await deps.store.noteStream(lease, {
      generation: run.generation,
      sourceState: window.state,
      ...(window.progress == null ? {} : { progress: window.progress }),
    });
  switch (verdict.kind) {
    case "more":
      return null;
    case "end":
      if (window.to === null && run.readerCursor !== null)
        await deps.store.noteStream(lease, { generation: run.generation, target: run.readerCursor });
      return verdict.word;
    case "stopped":
      return "stopped";
    case "wait":
      return `waits: ${verdict.reason}`;
    case "memory":
      await backOffForMemory(deps, run);
      return "memory";
    case "retry": {
      const { host } = run.source;
      const message = `${host}: ${verdict.reason ?? "unreachable"}`;
      await deps.store.addError(run.runId, { ...error(deps, message), kind: "unreachable" });
      return `${UNREACHABLE}${verdict.reason ?? host}`;
    }
    case "fail":
      return stop(deps, run, "errored", verdict.reason);
    case "pause":
      return stop(deps, run, "pausing", verdict.reason);
    default: {
      const unreachable: never = verdict;
      return unreachable;
    }
  }
}

async function stop(deps: ReaderDeps, run: Run, to: "errored" | "pausing", reason: string): Promise<string> {
  await deps.store.transition(run.runId, sourcesOf(to), to, { reason });
  await deps.store.addError(run.runId, error(deps, reason));
  deps.log(`[BACKFILL] ${run.source.host}: ${reason}`);
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
