import { systemClock } from "@firehose-backfill/core/clock";
import { describe, expect, it } from "vitest";
import { probeStream, type ProbeOptions, type ProbeResult } from "./probe.ts";
import {
  commitFrame,
  errorFrame,
  frame,
  infoFrame,
  timeOf,
  truncatedFrame,
} from "@firehose-backfill/testing/firehose/frames";
import { startRelay, type ScriptedRelayOptions } from "@firehose-backfill/testing/firehose/scripted-relay";

async function probe(
  script: ScriptedRelayOptions,
  options: Partial<ProbeOptions> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<{ result: ProbeResult; cursors: (string | null)[]; isClosed: boolean }> {
  await using relay = await startRelay(script);
  const rest = { userAgent: "test", clock: systemClock, connectTimeoutMs: 2_000, listenMs: 2_000 };
  const result = await probeStream({ url: relay.url, cursor: 5, ...rest, ...options }, signal);
  await expect.poll(() => relay.visits.every(({ socket }) => socket.readyState === socket.CLOSED)).toBe(true);
  return { result, cursors: relay.visits.map(({ cursor }) => cursor), isClosed: true };
}

const sending = (...frames: readonly Buffer[]): ScriptedRelayOptions => ({
  onConnect: ({ socket }) => frames.forEach((bytes) => socket.send(bytes)),
});
const position = (seq: number) => ({ seq, timeMs: timeOf(seq) });

describe("probeStream", () => {
  it.each([
    [5, "5"],
    [0, "0"],
    [null, null],
  ])("tells the first frame at %s, and closes", async (cursor, sent) => {
    const { result, cursors } = await probe(sending(commitFrame({ seq: 6 }), commitFrame({ seq: 7 })), { cursor });
    expect(result).toEqual({ kind: "frame", position: position(6), isOutdated: false });
    expect(cursors).toEqual([sent]);
  });

  it("passes over what has no seq, no time, or is not above", async () => {
    const noTime = frame({ op: 1, t: "#new" }, { seq: 8 });
    const script = sending(infoFrame("OutdatedCursor"), commitFrame({ seq: 7 }), noTime, commitFrame({ seq: 9 }));
    const { result } = await probe(script, { aboveSeq: 7 });
    expect(result).toEqual({ kind: "frame", position: position(9), isOutdated: true });
  });

  it.each<[string, ScriptedRelayOptions, ProbeResult]>([
    ["silence", {}, { kind: "silent" }],
    ["only old frames", sending(commitFrame({ seq: 3 })), { kind: "silent" }],
    [
      "an error frame",
      sending(errorFrame("FutureCursor")),
      { kind: "error-frame", error: "FutureCursor", message: "FutureCursor it is" },
    ],
    ["a broken frame", sending(truncatedFrame(6)), { kind: "failed", detail: "a broken frame: truncated" }],
    [
      "text",
      { onConnect: ({ socket }) => socket.send("hi") },
      { kind: "failed", detail: "a broken frame: a text frame" },
    ],
    ["a close", { onConnect: ({ socket }) => socket.close(1001) }, { kind: "failed", detail: "closed with 1001" }],
    [
      "no upgrade",
      { onUpgrade: (socket) => socket.end("HTTP/1.1 503 No\r\n\r\n") === socket },
      { kind: "failed", detail: "HTTP 503", status: 503 },
    ],
  ])("%s", async (_, script, expected) => {
    const { result } = await probe(script, { aboveSeq: 5, listenMs: 100 });
    expect(result).toEqual(expected);
  });

  it.each<[string, number, number[]]>([
    ["as many frames as were asked for", 3, [6, 7, 8]],
    ["those that came in time", 9, [6, 7, 8, 9]],
  ])("takes a sample: %s", async (_, frames, seqs) => {
    const script = sending(...[6, 7, 8, 9].map((seq) => commitFrame({ seq })));
    const { result } = await probe(script, { sample: { frames, forMs: 100 } });
    expect(result).toEqual({ kind: "frame", position: position(6), isOutdated: false, sample: seqs.map(position) });
  });

  it("a sample ends where the connection does, and where a frame is broken", async () => {
    const sample = { frames: 9, forMs: 5_000 };
    const closing: ScriptedRelayOptions = {
      onConnect: ({ socket }) => {
        socket.send(commitFrame({ seq: 6 }));
        socket.close(1001);
      },
    };
    for (const script of [closing, sending(commitFrame({ seq: 6 }), truncatedFrame(7))]) {
      expect((await probe(script, { sample })).result).toMatchObject({ kind: "frame", sample: [position(6)] });
    }
  });

  it("gives up a connection that does not open", async () => {
    const { result } = await probe({ onUpgrade: () => true }, { connectTimeoutMs: 50 });
    expect(result).toMatchObject({ kind: "failed", detail: expect.stringContaining("in time") });
  });

  it("ends on abort", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    expect((await probe({}, {}, stop.signal)).result).toEqual({ kind: "failed", detail: "aborted" });
    expect((await probe({}, {}, AbortSignal.abort())).result).toEqual({ kind: "failed", detail: "aborted" });
  });
});
