import { systemClock } from "@firehose-backfill/core/clock";
import { describe, expect, it } from "vitest";
import { compileFilter } from "./filter.ts";
import { type SampleOptions, type SampleResult, sampleStream } from "./sample.ts";
import { commitFrame, errorFrame, markerFrame, timeOf } from "@firehose-backfill/testing/firehose/frames";
import { serve, type ScriptedRelayOptions, startRelay } from "@firehose-backfill/testing/firehose/scripted-relay";

const frames = [1, 2, 3, 4, 5, 6].map((seq) => ({ seq, bytes: commitFrame({ seq }) }));
const everything = compileFilter({ collections: [], dids: [] });

async function look(script: ScriptedRelayOptions, options: Partial<SampleOptions> = {}): Promise<SampleResult> {
  await using relay = await startRelay(script);
  const rest = { cursor: 0, untilSeq: null, filter: everything, userAgent: "test", clock: systemClock };
  const limits = { forMs: 200, listenMs: 100, ...options.limits };
  return await sampleStream({ url: relay.url, ...rest, ...options, limits }, new AbortController().signal);
}

describe("sampleStream", () => {
  it("counts what a run would count, and how large it is", async () => {
    const marker = { seq: 7, bytes: markerFrame("#account", 7) };
    const result = await look({ onConnect: serve([...frames, marker]) });
    expect(result).toMatchObject({
      kind: "sample",
      sample: { frames: 7, events: 7, matching: 7, rows: 6, isWhole: false, first: { seq: 1 }, last: { seq: 7 } },
    });
    const sample = result.kind === "sample" ? result.sample : null;
    expect(sample?.recordBytes).toBeGreaterThan(0);
    expect(sample?.bytes).toBe([...frames, marker].reduce((sum, { bytes }) => sum + bytes.length, 0));
  });

  it("by the filters of the run", async () => {
    const filter = compileFilter({ collections: ["app.bsky.graph.follow"], dids: [] });
    expect(await look({ onConnect: serve(frames) }, { filter })).toMatchObject({
      sample: { events: 6, matching: 0, rows: 0, recordBytes: 0 },
    });
  });

  it("ends where the next sample begins, and says that it has seen all before", async () => {
    const result = await look({ onConnect: serve(frames) }, { cursor: 1, untilSeq: 4 });
    expect(result).toMatchObject({ sample: { frames: 3, isWhole: true, first: { seq: 2 }, last: { seq: 4 } } });
    expect(await look({ onConnect: serve(frames) }, { cursor: 4, untilSeq: 4 })).toEqual({ kind: "nothing" });
  });

  it.each([
    ["frames", { frames: 2 }],
    ["bytes", { bytes: frames[0]?.bytes.length ?? 0 }],
  ])("ends after so many %s", async (_name, limits) => {
    const result = await look({ onConnect: serve(frames) }, { limits });
    expect(result.kind === "sample" ? result.sample.frames : 0).toBeLessThanOrEqual(2);
  });

  it("tells its time by the frames around its ends", async () => {
    const many = Array.from({ length: 40 }, (_, index) => ({
      seq: index + 1,
      bytes: commitFrame({ seq: index + 1 }),
    }));
    const result = await look({ onConnect: serve(many) });
    expect(result).toMatchObject({
      sample: { first: { seq: 1, timeMs: timeOf(6) }, last: { seq: 40, timeMs: timeOf(35) } },
    });
  });

  it.each<[string, ScriptedRelayOptions, SampleResult]>([
    ["silence", {}, { kind: "nothing" }],
    ["a cursor above the head", sending(errorFrame("FutureCursor")), { kind: "nothing" }],
    [
      "a refusal",
      sending(errorFrame("ConsumerTooSlow")),
      { kind: "failed", detail: "the host said ConsumerTooSlow: ConsumerTooSlow it is", isFinal: true },
    ],
    [
      "a status",
      { onUpgrade: (socket) => socket.end("HTTP/1.1 429 No\r\n\r\n") === socket },
      { kind: "failed", detail: "HTTP 429", isFinal: true },
    ],
    [
      "a close",
      { onConnect: ({ socket }) => socket.close(1001) },
      { kind: "failed", detail: "closed with 1001", isFinal: false },
    ],
  ])("%s", async (_name, script, expected) => {
    expect(await look(script)).toEqual(expected);
  });
});

function sending(frame: Buffer): ScriptedRelayOptions {
  return { onConnect: ({ socket }) => socket.send(frame) };
}
