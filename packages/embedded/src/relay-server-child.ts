/** The process that relay-server.ts starts. */
import { readFile } from "node:fs/promises";
import { onParentGone, reportReady } from "./child-side.ts";
import { eventsIn } from "./relay-frame.ts";
import { splitFrames } from "./relay-log.ts";
import { type ReplayRelay, startReplayRelay } from "./relay-replay.ts";
import type { SampleRelayReady, SampleRelaySettings } from "./relay-server.ts";
import { shiftFrame, timeMsOf } from "./relay-time.ts";

let relay: ReplayRelay | undefined;
onParentGone(async () => {
  await relay?.[Symbol.asyncDispose]();
});

const settings: SampleRelaySettings = JSON.parse(process.argv[2] ?? "null");
const recorded = splitFrames(await readFile(settings.framesFile));
const newestMs = Math.max(...recorded.map((frame) => timeMsOf(frame) ?? 0));
const frames = recorded.map((frame) => shiftFrame(frame, settings.newestMs - newestMs));
relay = await startReplayRelay({ frames });
const ready: SampleRelayReady = {
  url: relay.url,
  frames: frames.length,
  events: frames.reduce((sum, frame) => sum + eventsIn(frame), 0),
};
reportReady(ready);
