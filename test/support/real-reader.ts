/** The dependencies of a tick that reads a real relay; the test chooses the store and the queue. */
import type { ReaderDeps } from "@firehose-backfill/backfill/deps";
import { systemClock } from "@firehose-backfill/core/clock";
import { relayKit } from "@firehose-backfill/firehose/kit";
import { localReaderTiming } from "@firehose-backfill/server/reader-timing";
import { CALM } from "../simulation/simulate.ts";

export function realReader({
  store,
  queue,
  log = () => {},
}: Pick<ReaderDeps, "store" | "queue"> & { readonly log?: (line: string) => void }): ReaderDeps {
  return {
    clock: systemClock,
    random: Math.random,
    store,
    queue,
    sources: {
      relay: relayKit({
        clock: systemClock,
        random: Math.random,
        userAgent: "test",
        sampleRelayUrl: null,
        seekCursor: null,
      }),
    },
    memory: CALM,
    timing: localReaderTiming({ isSample: false }),
    offPeak: null,
    limits: null,
    owner: "test",
    log,
  };
}
