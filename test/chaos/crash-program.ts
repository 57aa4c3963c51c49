/**
 * The whole program with a crash point armed: the composition that tests kill. The product has no such switch; it hands
 * `crashPoint` to the use cases only where a composition gives one. Started by life.ts, as a child.
 */
import { writeFileSync } from "node:fs";
import type { StartRequest } from "@firehose-backfill/backfill/control-event";
import type { CrashPoint, CrashPointName } from "@firehose-backfill/backfill/deps";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { readEnv } from "@firehose-backfill/core/config/read-env";
import { describeError } from "@firehose-backfill/core/errors";
import { onParentGone, reportReady } from "@firehose-backfill/embedded/child-side";
import { type RunResult, runServer } from "@firehose-backfill/server/run-server";

export interface CrashTask {
  readonly env: Readonly<Record<string, string>>;
  /** null: goes on with the run that is there. */
  readonly start: StartRequest | null;
  readonly consumers: "in-process" | "process";
  /** Dies at the `nth` passing of the point, after it has written `marker`: the proof. */
  readonly crash: { readonly point: CrashPointName; readonly nth: number; readonly marker: string } | null;
}

/** What the parent hears. */
export type CrashReport =
  | { readonly log: string }
  | { readonly ended: Pick<RunResult, "exit" | "message" | "snapshot"> }
  | { readonly failed: string };

const STOP_DEADLINE_MS = 20_000;

const stop = new AbortController();
let done: Promise<void> = Promise.resolve();
onParentGone(async () => {
  stop.abort();
  await done;
}, STOP_DEADLINE_MS);
process.once("message", (task) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by life.ts, and by nobody else
  done = live(task as CrashTask);
});
reportReady(null);

async function live({ env, start, consumers, crash }: CrashTask): Promise<void> {
  const raw = readEnv(env);
  try {
    const result = await runServer({
      config: parseConfig(raw),
      configure: (values) => parseConfig(raw, { overrides: [{ source: "event", values }] }),
      untilDone: true,
      consumers,
      ...(start === null ? {} : { start }),
      ...(crash === null ? {} : { crashPoint: armed(crash) }),
      onSnapshot: () => {},
      log: (line) => void tell({ log: line }),
      stop: stop.signal,
    });
    await tell({ ended: result });
    process.exit(0);
  } catch (error) {
    await tell({ failed: describeError(error) });
    process.exit(1);
  }
}

function armed({ point, nth, marker }: NonNullable<CrashTask["crash"]>): CrashPoint {
  let passed = 0;
  return (name) => {
    if (name !== point) return;
    passed += 1;
    if (passed !== nth) return;
    writeFileSync(marker, `${point} ${nth}`);
    process.kill(process.pid, "SIGKILL");
    // SIGKILL is delivered when the kernel gets to it: not one more step until then.
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
}

/** Resolves when it is on its way; the parent may be gone. */
function tell(report: CrashReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(report, () => resolve());
  });
}
