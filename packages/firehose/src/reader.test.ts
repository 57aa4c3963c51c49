import { describe, expect, it } from "vitest";
import { compileFilter } from "./filter.ts";
import { commitFrame, DID, frame, markerFrame, timeOf } from "@firehose-backfill/testing/firehose/frames";
import { AMPLE, never, openReader, QUICK, readToEnd } from "@firehose-backfill/testing/firehose/reading";
import { type ScriptedRelay, serve, startRelay } from "@firehose-backfill/testing/firehose/scripted-relay";

interface Sent {
  readonly seq: number;
  readonly bytes: Buffer;
}

const commits = (from: number, to: number): Sent[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    seq: from + index,
    bytes: commitFrame({ seq: from + index }),
  }));
const seqs = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const relayOf = (frames: readonly Sent[]): Promise<ScriptedRelay> => startRelay({ onConnect: serve(frames) });
const three = (seq: number): Sent => ({ seq, bytes: commitFrame({ seq, ops: [{}, {}, {}] }) });

describe("windows", () => {
  it("hand on what comes in order, then find the host quiet", async () => {
    await using relay = await relayOf(commits(1, 50));
    await using reader = openReader({ url: relay.url });
    const reading = await readToEnd(reader);
    expect(reading.seqs).toEqual(seqs(1, 50));
    expect(reading).toMatchObject({ received: 50, skipped: {}, gaps: [], last: { endedBecause: "quiet", to: null } });
    expect(reading.windows[0]).toMatchObject({
      from: null,
      first: { seq: 1, timeMs: timeOf(1) },
      to: { seq: 50, timeMs: timeOf(50) },
      frames: 50,
      hostSeen: true,
      brokenFrames: 0,
      oldestKeptMs: timeOf(1),
      endedBecause: "idle",
    });
    // Ours, a second one from the cursor, a live one; never three at once.
    expect(relay.visits.map(({ cursor }) => cursor)).toEqual(["0", "50", null]);
    expect(relay.mostOpen()).toBe(2);
    expect(relay.visits[0]?.request.headers["user-agent"]).toBe("firehose-backfill/test");
    expect(relay.visits[0]?.request.headers["sec-websocket-extensions"]).toBeUndefined();
  });

  it("end by events before a commit that does not fit, which is the next one's first; the socket stays", async () => {
    await using relay = await relayOf([1, 2, 3, 4, 5].map(three));
    await using reader = openReader({ url: relay.url });
    const windows = [];
    for (let left = 2; left > 0; left--) windows.push(await reader.readWindow({ ...AMPLE, maxEvents: 7 }, never()));
    expect(windows.map(({ events, endedBecause }) => [events.length, endedBecause])).toEqual([
      [6, "events"],
      [6, "events"],
    ]);
    expect(windows.map(({ from, to }) => [from?.seq, to?.seq])).toEqual([
      [undefined, 2],
      [2, 4],
    ]);
    expect(relay.visits).toHaveLength(1);
  });

  it("take the first commit whole when they may, and nothing of it when they may not", async () => {
    await using relay = await relayOf([three(1), three(2)]);
    await using reader = openReader({ url: relay.url });
    const read = (takeFirstWhole: boolean) => reader.readWindow({ ...AMPLE, maxEvents: 2, takeFirstWhole }, never());
    expect(await read(false)).toMatchObject({ events: [], to: null, endedBecause: "events" });
    expect(await read(true)).toMatchObject({ events: { length: 3 }, to: { seq: 1 }, endedBecause: "events" });
    expect(await read(false)).toMatchObject({ events: [], to: null, endedBecause: "events" });
    expect(relay.visits).toHaveLength(1);
  });

  it("end by bytes kept, but take a commit that is larger alone", async () => {
    const large = (seq: number): Sent => ({
      seq,
      bytes: commitFrame({ seq, ops: [{ record: { a: "x".repeat(5_000) } }] }),
    });
    await using relay = await relayOf([1, 2, 3, 4].map(large));
    await using reader = openReader({ url: relay.url });
    const lengths = [];
    for (const maxBytes of [1_000, 11_000, 4_000]) {
      const window = await reader.readWindow({ ...AMPLE, maxBytes }, never());
      lengths.push([window.events.length, window.endedBecause]);
    }
    expect(lengths).toEqual([
      [1, "bytes"],
      [2, "bytes"],
      [1, "bytes"],
    ]);
  });

  it("end by bytes read, matched or not", async () => {
    await using relay = await relayOf(commits(1, 20));
    const filter = compileFilter({ collections: ["x.y.z"], dids: [] });
    await using reader = openReader({ url: relay.url, filter });
    const one = commits(1, 1)[0]?.bytes.length ?? 0;
    const window = await reader.readWindow({ ...AMPLE, maxReadBytes: one * 9 }, never());
    expect(window).toMatchObject({
      events: [],
      received: window.frames,
      endedBecause: "bytes",
      skipped: { collection: window.frames },
    });
    expect(window.frames).toBeGreaterThanOrEqual(9);
    expect(window.frames).toBeLessThan(12);
    expect(window.to?.seq).toBe(window.frames);
  });

  it("end by time while frames keep coming", async () => {
    let seq = 0;
    await using relay = await startRelay({
      onConnect: ({ socket }) => {
        const timer = setInterval(() => socket.send(commitFrame({ seq: ++seq })), 5);
        socket.on("close", () => clearInterval(timer));
      },
    });
    await using reader = openReader({ url: relay.url, timings: { idleMs: 5_000 } });
    const window = await reader.readWindow({ ...AMPLE, maxMs: 150 }, never());
    expect(window.endedBecause).toBe("time");
    expect(window.events.length).toBeGreaterThan(0);
    const next = await reader.readWindow({ ...AMPLE, maxMs: 150 }, never());
    expect(next.events[0]?.seq).toBe((window.to?.seq ?? 0) + 1);
  });

  it("end when aborted, with what they have", async () => {
    await using relay = await relayOf(commits(1, 5));
    await using reader = openReader({ url: relay.url, timings: { idleMs: 60_000, quietMs: 60_000 } });
    const stop = new AbortController();
    const reading = reader.readWindow({ ...AMPLE, maxMs: 60_000 }, stop.signal);
    setTimeout(() => stop.abort(), 300);
    expect(await reading).toMatchObject({ endedBecause: "aborted", events: { length: 5 }, to: { seq: 5 } });
    expect(await reader.readWindow(AMPLE, stop.signal)).toMatchObject({ endedBecause: "aborted", to: null });
  });

  it("end when memory is tight, after the frame in hand; asked every so many events", async () => {
    await using relay = await relayOf(commits(1, 50));
    let asked = 0;
    const isMemoryTight = () => ++asked > 3;
    await using reader = openReader({ url: relay.url, isMemoryTight, memoryCheckInterval: 10 });
    // Once before it begins, then at 10, 20 and 30.
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({ endedBecause: "memory", events: { length: 30 } });
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({ endedBecause: "memory", events: [], to: null });
  });

  it("go on across a reader that is closed while it reads", async () => {
    await using relay = await relayOf(commits(1, 3));
    const reader = openReader({ url: relay.url, timings: { idleMs: 60_000, quietMs: 60_000 } });
    const reading = reader.readWindow({ ...AMPLE, maxMs: 60_000 }, never());
    setTimeout(() => void reader[Symbol.asyncDispose](), 200);
    expect((await reading).endedBecause).toBe("aborted");
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({ endedBecause: "aborted", to: null });
  });
});

describe("what is counted", () => {
  it("operations and markers; filtered ones by reason; an empty commit and what is unknown move the cursor alone", async () => {
    const frames: Sent[] = [
      three(1),
      { seq: 2, bytes: markerFrame("#identity", 2) },
      { seq: 3, bytes: commitFrame({ seq: 3, ops: [] }) },
      { seq: 4, bytes: commitFrame({ seq: 4, did: "did:plc:another", ops: [{}, {}] }) },
      { seq: 5, bytes: commitFrame({ seq: 5, ops: [{ path: "a.b.c/d" }, {}] }) },
      { seq: 6, bytes: frame({ op: 1, t: "#new" }, { seq: 6, time: "2026-01-01T00:00:06.000Z" }) },
      { seq: 7, bytes: frame({ op: 3 }, { seq: 7 }) },
    ];
    await using relay = await relayOf(frames);
    const filter = compileFilter({ collections: ["app.bsky.feed.*"], dids: [DID] });
    await using reader = openReader({ url: relay.url, filter });
    const window = await reader.readWindow(AMPLE, never());
    expect(window).toMatchObject({
      received: 8,
      skipped: { did: 2, collection: 1 },
      frames: 7,
      to: { seq: 7, timeMs: timeOf(6) },
    });
    expect(window.events.map(({ kind, seq }) => [kind, seq])).toEqual([
      ["record", 1],
      ["record", 1],
      ["record", 1],
      ["identity", 2],
      ["record", 5],
    ]);
  });

  it("what lies before the start is skipped, and costs no room; once reached, old times pass", async () => {
    const late = { seq: 31, bytes: commitFrame({ seq: 31, timeMs: timeOf(1) }) };
    await using relay = await relayOf([...commits(1, 30), late]);
    await using reader = openReader({ url: relay.url, position: { startTimeMs: timeOf(21), recentTimesMs: [] } });
    const reading = await readToEnd(reader, { maxEvents: 11 });
    // Not a frame from the start on is lost to the median, which lags behind.
    expect(reading.seqs).toEqual(seqs(21, 30));
    expect(reading.skipped).toEqual({ "before-start": 21 });
    expect(reading.received).toBe(31);
    expect(reading.last.startReached).toBe(false);
  });

  it("one frame's time does not begin the stream", async () => {
    const lie = { seq: 1, bytes: commitFrame({ seq: 1, timeMs: timeOf(9_999) }) };
    await using relay = await relayOf([lie, ...commits(2, 300)]);
    await using reader = openReader({
      url: relay.url,
      position: { startTimeMs: timeOf(200), recentTimesMs: seqs(1, 5) },
    });
    const reading = await readToEnd(reader);
    expect(reading.seqs).toEqual([1, ...seqs(200, 300)]);
    expect(reading.last.startReached).toBe(true);
  });
});

describe("the end of the stream", () => {
  it("is caught up when the median of event times is there", async () => {
    await using relay = await relayOf(commits(1, 300));
    await using reader = openReader({ url: relay.url, position: { endTimeMs: timeOf(200) } });
    const reading = await readToEnd(reader, { maxEvents: 100 });
    expect(reading.last.endedBecause).toBe("caught-up");
    expect(reading.seqs).toEqual(seqs(1, 250));
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({ endedBecause: "caught-up", to: null });
  });

  it.each([
    [10, seqs(1, 10)],
    [15, [...seqs(1, 10), 12]],
  ])("is a seq: %i", async (endSeq, expected) => {
    await using relay = await relayOf([...commits(1, 10), ...commits(12, 12), ...commits(20, 30)]);
    await using reader = openReader({ url: relay.url, position: { endSeq } });
    const reading = await readToEnd(reader);
    expect([reading.seqs, reading.last.endedBecause]).toEqual([expected, "caught-up"]);
  });

  it("may have been reached before", async () => {
    await using relay = await relayOf(commits(1, 10));
    const position = { cursor: { seq: 5, timeMs: timeOf(5) }, endSeq: 5 };
    await using reader = openReader({ url: relay.url, position });
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({ endedBecause: "caught-up", to: null });
    expect(relay.visits).toHaveLength(0);
  });
});

describe("where it begins", () => {
  it.each([
    [{ start: "oldest" } as const, "0"],
    [{ start: "live" } as const, null],
    [{ start: { seq: 17 } }, "17"],
    [{ start: "oldest", cursor: { seq: 99, timeMs: 1 } } as const, "99"],
  ])("%j", async (position, cursor) => {
    await using relay = await startRelay({});
    await using reader = openReader({ url: relay.url, position, timings: { silentMs: 50 } });
    await reader.readWindow(AMPLE, never());
    expect(relay.visits[0]?.cursor).toBe(cursor);
    expect(relay.visits[0]?.request.url).toBe(
      `/xrpc/com.atproto.sync.subscribeRepos${cursor === null ? "" : `?cursor=${cursor}`}`,
    );
  });

  it("live, it goes on from the cursor after a close", async () => {
    await using relay = await startRelay({
      onConnect: ({ index, socket }) => {
        socket.send(commitFrame({ seq: 70 + index }));
        if (index === 0) socket.close(1000);
      },
    });
    await using reader = openReader({
      url: relay.url,
      position: { start: "live" },
      timings: { idleMs: QUICK.idleMs * 5 },
    });
    const window = await reader.readWindow({ ...AMPLE, maxEvents: 2 }, never());
    expect(window.events.map(({ seq }) => seq)).toEqual([70, 71]);
    expect(relay.visits.map(({ cursor }) => cursor)).toEqual([null, "70"]);
  });

  it("an event equal to the cursor is dropped", async () => {
    await using relay = await startRelay({
      onConnect: ({ socket }) => commits(5, 7).forEach(({ bytes }) => socket.send(bytes)),
    });
    await using reader = openReader({ url: relay.url, position: { cursor: { seq: 5, timeMs: timeOf(5) } } });
    const window = await reader.readWindow(AMPLE, never());
    expect(window).toMatchObject({ received: 2, frames: 2, events: [{ seq: 6 }, { seq: 7 }], from: { seq: 5 } });
  });
});
