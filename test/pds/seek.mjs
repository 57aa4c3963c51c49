/** A start by time on a real PDS: where `seek` lands, and what a run makes of it. */
import assert from "node:assert/strict";
import { systemClock } from "../../packages/core/src/clock.ts";
import { readFrame } from "../../packages/firehose/src/frame.ts";
import { countEvents } from "../../packages/firehose/src/extract.ts";
import { DEFAULT_SEEK_LIMITS, seekCursor } from "../../packages/firehose/src/seek.ts";
import { runBackfill } from "./program.mjs";

/**
 * @param {{ relayUrl: string, dataDir: string, frames: readonly Uint8Array[] }} given `frames`: everything the PDS keeps
 * @returns {Map<string, () => Promise<void>>} by name
 */
export function seekChecks({ relayUrl, dataDir, frames }) {
  const read = frames.map((bytes) => readFrame(bytes)).filter((frame) => "did" in frame);
  const middle = read[read.length >> 1];
  assert.ok(middle !== undefined && read.length > 50, `only ${read.length} frames`);
  const { timeMs: startTimeMs } = middle;
  const before = read.filter(({ timeMs }) => timeMs < startTimeMs);

  return new Map([
    [
      "seek lands before the moment asked for, and near it, in a few connections",
      async () => {
        const found = await seekCursor(
          {
            url: relayUrl,
            startTimeMs,
            clock: systemClock,
            random: Math.random,
            userAgent: "firehose-backfill test",
            // What the PDS keeps spans seconds: with the margin of ten minutes every moment of it would be its oldest.
            limits: { marginMs: 0, toleranceMs: 0, spacingMs: 50 },
          },
          AbortSignal.timeout(60_000),
        );
        assert.equal(found.endedBecause, "found", JSON.stringify(found));
        const from = found.from?.seq ?? 0;
        const missed = read.filter(({ seq, timeMs }) => seq <= from && timeMs >= startTimeMs);
        assert.deepEqual(missed, [], "frames that a reader would never see");
        const tooMuch = before.filter(({ seq }) => seq > from).length;
        assert.ok(tooMuch < before.length / 2, `${tooMuch} of ${before.length} frames are read in vain`);
        assert.ok(found.probes <= DEFAULT_SEEK_LIMITS.maxProbes, `${found.probes} connections`);
      },
    ],
    [
      "a run from that moment on skips what is older, and nothing else",
      async () => {
        const args = ["start", "--from", new Date(startTimeMs).toISOString(), "--until-done", "--json"];
        const { code, stdout, stderr } = await runBackfill({ relayUrl, dataDir, args });
        assert.ok(code === 0 || code === 3, `exit code ${code}; stderr ends:\n${stderr.slice(-3000)}`);
        const final = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
        const events = (list) => list.reduce((sum, frame) => sum + countEvents(frame), 0);
        assert.equal(final.skipped["before-start"], events(before));
        assert.equal(final.processed + final.dead, events(read) - events(before));
      },
    ],
  ]);
}
