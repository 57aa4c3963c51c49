/** The frames of the decode and reader benchmarks: a recording of a real PDS, with sequence numbers as large as a relay's. */
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { readFrame } from "@firehose-backfill/firehose/frame";
import { pdsFrames } from "../test/support/recordings.ts";

/** A week ago, so that nothing is in the future, however long the recording is. */
const BACK_MS = 7 * 86_400_000;
/**
 * One commit in a hundred of the recording is an import of 200 operations; together they hold six of ten operations, which is not
 * typical of a network. Without them a commit has 1.5 operations, as on the network.
 */
const MOST_OPERATIONS = 10;

export function benchFrames(): Buffer[] {
  const frames = pdsFrames().filter((bytes) => {
    const frame = readFrame(bytes);
    return frame.kind !== "commit" || frame.ops.length <= MOST_OPERATIONS;
  });
  const log = resealedLog({ frames, copies: 1, seed: "bench", firstTimeMs: Date.now() - BACK_MS });
  return Array.from(log.after(0), ({ frame }) => Buffer.from(frame));
}
