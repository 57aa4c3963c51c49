import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readFrames } from "@firehose-backfill/testing/embedded/relay-client";
import { eventsIn, mapFrame, seqOf, textAt } from "./relay-frame.ts";
import { splitFrames } from "./relay-log.ts";
import { startSampleRelay } from "./relay-server.ts";
import { timeMsOf } from "./relay-time.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sample-relay-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const recording = async () => splitFrames(await readFile(new URL("../fixtures/sample-frames.bin", import.meta.url)));

test("serves the whole recording, every kind of frame, within the hour before the first start", async () => {
  const startMs = Date.UTC(2031, 5, 1, 12);
  await using relay = await startSampleRelay({ dataDir, now: () => startMs });
  const { frames } = await readFrames(`${relay.url}/xrpc/com.atproto.sync.subscribeRepos?cursor=0`, relay.frames);
  expect(frames).toHaveLength(relay.frames);
  expect(frames.reduce((sum, frame) => sum + eventsIn(frame), 0)).toBe(relay.events);
  for (const frame of frames) {
    expect(timeMsOf(frame)).toBeLessThan(startMs);
    expect(timeMsOf(frame)).toBeGreaterThan(startMs - 3_600_000);
  }
  expect(new Set(frames.map((frame) => mapFrame(frame).kind))).toEqual(
    new Set(["#commit", "#account", "#identity", "#sync"]),
  );
});

test("the default run takes two minutes: 300 events at 2.5 a second", async () => {
  await using relay = await startSampleRelay({ dataDir });
  expect(relay.events).toBe(300);
});

test("a frame differs from the recorded one in its time alone", async () => {
  await using relay = await startSampleRelay({ dataDir });
  const { frames } = await readFrames(`${relay.url}/xrpc/com.atproto.sync.subscribeRepos?cursor=0`, relay.frames);
  for (const [i, original] of (await recording()).entries()) {
    const frame = frames[i];
    if (frame === undefined) throw new Error(`no frame ${i}`);
    const time = mapFrame(original).fields.get("time");
    if (time === undefined) throw new Error(`frame ${i} has no time`);
    expect(textAt(frame, time)).not.toBe(textAt(original, time));
    const restored = Buffer.from(frame);
    restored.set(original.subarray(time.start, time.end), time.start);
    expect(restored.equals(original)).toBe(true);
  }
});

test("a later start shows the same times", async () => {
  const newest = async (now: number) => {
    await using relay = await startSampleRelay({ dataDir, now: () => now });
    const { frames } = await readFrames(`${relay.url}/xrpc/com.atproto.sync.subscribeRepos?cursor=0`, relay.frames);
    return frames.map((frame) => [seqOf(frame), timeMsOf(frame)]);
  };
  const first = await newest(Date.UTC(2030, 0, 1));
  expect(first.at(-1)?.[1]).toBe(Date.UTC(2030, 0, 1) - 60_000);
  expect(await newest(Date.UTC(2030, 0, 3))).toEqual(first);
});
