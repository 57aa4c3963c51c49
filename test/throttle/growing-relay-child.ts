/** The relay of function-growth.ts, in a process of its own: a recording that is repeated with new accounts. One argument: how often. */
import { onParentGone, reportReady } from "@firehose-backfill/embedded/child-side";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { pdsFrames } from "../support/recordings.ts";

/** A copy of the recording covers six minutes. */
const COPY_MS = 400_000;
const DAY_MS = 86_400_000;

onParentGone(() => {});
const copies = Number(process.argv[2]);
const firstTimeMs = Date.now() - DAY_MS - copies * COPY_MS;
const relay = await startReplayRelay({
  frames: resealedLog({ frames: pdsFrames(), copies, seed: "growth", firstTimeMs }),
});
reportReady(relay.url);
