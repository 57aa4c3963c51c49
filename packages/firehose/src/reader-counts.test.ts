/** What is dropped is counted: by reason, and never in silence. And where a run began, or ends, without a position of its own. */
import { describe, expect, it } from "vitest";
import { compileFilter } from "./filter.ts";
import { commitFrame, DID, frame, infoFrame, markerFrame, timeOf } from "@firehose-backfill/testing/firehose/frames";
import { AMPLE, never, openReader, readToEnd } from "@firehose-backfill/testing/firehose/reading";
import { serve, startRelay } from "@firehose-backfill/testing/firehose/scripted-relay";

const commits = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    seq: from + index,
    bytes: commitFrame({ seq: from + index }),
  }));
const relayOf = (frames: readonly { readonly seq: number; readonly bytes: Buffer }[]) =>
  startRelay({ onConnect: serve(frames) });
const tooBig = (seq: number, ops: readonly object[] = [], did = DID) =>
  commitFrame({ seq, did, ops, payload: { tooBig: true, blocks: new Uint8Array(0) } });

describe("fault 4: what is dropped is counted", () => {
  it.each([
    ["no operations", tooBig(2), { received: 3, events: ["record", "dead", "record"] }],
    ["some operations", tooBig(2, [{}]), { received: 4, events: ["record", "dead", "dead", "record"] }],
  ])("a commit that is too big, with %s", async (_, bytes, { received, events }) => {
    await using relay = await relayOf([...commits(1, 1), { seq: 2, bytes }, ...commits(3, 3)]);
    await using reader = openReader({ url: relay.url });
    const window = await reader.readWindow(AMPLE, never());
    expect(window).toMatchObject({ received, to: { seq: 3 } });
    expect(window.events.map(({ kind }) => kind)).toEqual(events);
    expect(window.events[1]).toMatchObject({ kind: "dead", reason: "too-big", did: DID, seq: 2, path: null });
  });

  it("one of an account that is not wanted, and one before the start, are skipped and counted", async () => {
    const other = { seq: 2, bytes: tooBig(2, [{}, {}], "did:plc:another") };
    await using relay = await relayOf([{ seq: 1, bytes: tooBig(1) }, other, ...commits(3, 3)]);
    await using filtered = openReader({ url: relay.url, filter: compileFilter({ collections: [], dids: [DID] }) });
    expect(await filtered.readWindow(AMPLE, never())).toMatchObject({ received: 5, skipped: { did: 3 } });
    await using late = openReader({ url: relay.url, position: { startTimeMs: timeOf(3) } });
    expect(await late.readWindow(AMPLE, never())).toMatchObject({ received: 5, skipped: { "before-start": 4 } });
  });

  it("no collection can say that it does not hold what was left out", async () => {
    await using relay = await relayOf([{ seq: 1, bytes: tooBig(1) }]);
    const filter = compileFilter({ collections: ["x.y.z"], dids: [] });
    await using reader = openReader({ url: relay.url, filter });
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({ received: 1, events: [{ reason: "too-big" }] });
  });

  it.each([1, 9])("one sequence number for two events: both count (windows of %i)", async (maxEvents) => {
    const twins = [
      commitFrame({ seq: 2, ops: [{ path: "a.b.c/first" }] }),
      commitFrame({ seq: 2, ops: [{ path: "a.b.c/second" }] }),
      markerFrame("#identity", 2),
    ].map((bytes) => ({ seq: 2, bytes }));
    await using relay = await relayOf([...commits(1, 1), ...twins, ...commits(3, 3)]);
    await using reader = openReader({ url: relay.url });
    const reading = await readToEnd(reader, { maxEvents });
    expect(reading.events.map(({ kind, seq }) => [kind, seq])).toEqual([
      ["record", 1],
      ["record", 2],
      ["record", 2],
      ["identity", 2],
      ["record", 3],
    ]);
  });

  it("the same event come again is no other one: twice on a connection, and on the next from a host that includes the cursor", async () => {
    const twins = ["first", "second"].map((rkey) => commitFrame({ seq: 2, ops: [{ path: `a.b.c/${rkey}` }] }));
    await using relay = await startRelay({
      onConnect: ({ index, cursor, socket }) => {
        if (cursor === null || index > 1) return;
        for (const bytes of [...twins, ...twins]) socket.send(bytes);
        if (index === 0) socket.close(1001);
        else socket.send(commitFrame({ seq: 3 }));
      },
    });
    await using reader = openReader({
      url: relay.url,
      position: { cursor: { seq: 1, timeMs: timeOf(1) } },
      timings: { idleMs: 1_000 },
    });
    const window = await reader.readWindow({ ...AMPLE, maxEvents: 3 }, never());
    expect(window.events.map(({ seq }) => seq)).toEqual([2, 2, 3]);
    expect(window).toMatchObject({ received: 3, ignored: { duplicate: 6 } });
  });

  it("frames without events, by reason", async () => {
    await using relay = await startRelay({
      onConnect: ({ cursor, socket }) => {
        if (cursor !== "0") return;
        socket.send(infoFrame("Hello"));
        socket.send(commitFrame({ seq: 1, ops: [] }));
        socket.send(frame({ op: 1, t: "#handle" }, { seq: 2, time: "2026-01-01T00:00:06.000Z" }));
        socket.send(frame({ op: 7 }, "nothing"));
        socket.send(commitFrame({ seq: 3 }));
        socket.send(commitFrame({ seq: 3 }));
      },
    });
    await using reader = openReader({ url: relay.url });
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({
      received: 1,
      ignored: { info: 1, "no-operations": 1, "unknown-type": 2, duplicate: 1 },
    });
  });
});

describe("fault 5: a start below what the host keeps", () => {
  it.each([
    ["much later", 2_000],
    ["a little later", 60],
    ["directly behind it but for one", 52],
  ])("on a silent relay, %s: a gap", async (_, first) => {
    await using relay = await relayOf(commits(first, first + 9));
    await using reader = openReader({ url: relay.url, position: { start: { seq: 50 } } });
    const reading = await readToEnd(reader);
    expect(reading.gaps).toMatchObject([
      { from: { seq: 50 }, to: { seq: first }, reason: "before what the host keeps" },
    ]);
    expect(reading.seqs).toHaveLength(10);
  });

  it.each([
    ["directly behind it", 50, [...commits(51, 59)]],
    ["a hole behind it, and all before it is kept", 50, [...commits(1, 49), ...commits(53, 59)]],
    ["the oldest", 0, commits(53, 59)],
  ])("%s: none", async (_, seq, frames) => {
    await using relay = await relayOf(frames);
    await using reader = openReader({ url: relay.url, position: { start: { seq } } });
    expect((await readToEnd(reader)).gaps).toEqual([]);
  });

  it("one number that is not true hides no gap, and makes none", async () => {
    await using gone = await relayOf([
      { seq: 9_000, bytes: commitFrame({ seq: 9_000, timeMs: timeOf(60) }) },
      ...commits(60, 79),
    ]);
    await using reader = openReader({ url: gone.url, position: { start: { seq: 50 } } });
    expect((await readToEnd(reader)).gaps).toMatchObject([{ from: { seq: 50 }, to: { seq: 60 } }]);
  });
});

describe("fault 6: an end that lies before what comes", () => {
  it("a stretch that is gone: a gap, and an end where it began", async () => {
    await using relay = await relayOf(commits(500, 509));
    await using reader = openReader({ url: relay.url, position: { start: { seq: 100 }, endSeq: 200 } });
    const window = await reader.readWindow(AMPLE, never());
    expect(window).toMatchObject({ endedBecause: "caught-up", received: 0, to: { seq: 100 }, from: null });
    expect(window.gaps).toMatchObject([{ from: { seq: 100 }, to: { seq: 500 } }]);
  });

  it.each([
    ["from the oldest", "oldest", 0],
    ["from a number", { seq: 100 }, 100],
  ] as const)("%s", async (_, start, seq) => {
    await using relay = await relayOf(commits(500, 509));
    await using reader = openReader({ url: relay.url, position: { start, endSeq: 200 } });
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({ endedBecause: "caught-up", to: { seq } });
  });

  it("quiet behind nothing but the cursor's own event", async () => {
    await using relay = await startRelay({
      onConnect: ({ cursor, socket }) => {
        if (cursor !== null) socket.send(commitFrame({ seq: 100 }));
      },
    });
    await using reader = openReader({ url: relay.url, position: { start: { seq: 100 } } });
    const window = await reader.readWindow(AMPLE, never());
    expect(window).toMatchObject({ endedBecause: "quiet", received: 0, to: { seq: 100, timeMs: timeOf(100) } });
  });
});
