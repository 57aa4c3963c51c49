/**
 * A relay on which each event is a new record and no key occurs twice, so that the rows in the database count the events. It repeats,
 * under new accounts, those commits of the recording that only create records which nothing changes later.
 */
import { utf8Text } from "@firehose-backfill/core/cbor/text";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { type ReplayRelay, startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { readFrame } from "@firehose-backfill/firehose/frame";
import { pdsFrames } from "../test/support/recordings.ts";

/** The same limit as in frames.ts: without imports, a commit has as many operations as on the network. */
const MOST_OPERATIONS = 10;
/** A copy of the recording covers six minutes. */
const COPY_MS = 400_000;

/** At least this many events, created when they are read. */
export function startCreatesRelay(events: number): Promise<ReplayRelay> {
  const frames = creates();
  const one = resealedLog({ frames, copies: 1, seed: "creates", firstTimeMs: 0 });
  const copies = Math.ceil(events / one.events);
  const firstTimeMs = Date.now() - 86_400_000 - copies * COPY_MS;
  return startReplayRelay({ frames: resealedLog({ frames, copies, seed: "creates", firstTimeMs }) });
}

function creates(): readonly Uint8Array[] {
  const touched = new Map<string, number>();
  const commits = pdsFrames().flatMap((bytes) => {
    const frame = readFrame(bytes);
    if (frame.kind !== "commit") return [];
    const keys = frame.ops.map((op) => `${frame.did}/${utf8Text(bytes, op.pathStart, op.pathEnd)}`);
    for (const key of keys) touched.set(key, (touched.get(key) ?? 0) + 1);
    const isPlain = frame.ops.length <= MOST_OPERATIONS && frame.ops.every(({ action }) => action === "create");
    return isPlain ? [{ bytes, keys }] : [];
  });
  return commits
    .filter(({ keys }) => keys.length > 0 && keys.every((key) => touched.get(key) === 1))
    .map(({ bytes }) => bytes);
}
