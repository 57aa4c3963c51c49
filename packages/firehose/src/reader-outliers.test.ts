/** Sequence numbers that one frame alone claims: set aside and recorded; what several frames agree on is the stream. */
import { describe, expect, it } from "vitest";
import { commitFrame, frame, markerFrame, timeOf } from "@firehose-backfill/testing/firehose/frames";
import { AMPLE, never, openReader, readToEnd } from "@firehose-backfill/testing/firehose/reading";
import { startRelay, type Visit } from "@firehose-backfill/testing/firehose/scripted-relay";

interface Sent {
  readonly seq: number;
  readonly bytes: Buffer;
}

const HIGH = 1_000_000;
const at = (seq: number) => ({ seq, timeMs: timeOf(seq) });
/** `claimed`: what it says, at the time that its neighbours have. */
const one = (seq: number, claimed = seq): Sent => ({
  seq: claimed,
  bytes: commitFrame({ seq: claimed, timeMs: timeOf(seq), ops: [{ path: `app.bsky.feed.post/3k${seq}` }] }),
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const stream = (from: number, to: number, claims: Readonly<Record<number, number>> = {}) =>
  range(from, to).map((seq) => one(seq, claims[seq]));
const without = (seqs: readonly number[], ...gone: readonly number[]) => seqs.filter((seq) => !gone.includes(seq));
/** As a relay does that keeps a log and compares each frame with the cursor: an outlier comes again on every connection. */
const serveLog =
  (log: readonly Sent[]) =>
  ({ cursor, socket }: Visit) => {
    if (cursor === null) return;
    for (const { seq, bytes } of log) if (seq > Number(cursor)) socket.send(bytes);
  };
const relayOf = (log: readonly Sent[]) => startRelay({ onConnect: serveLog(log) });

describe("fault 2: one frame's sequence number", () => {
  it.each<[string, Readonly<Record<number, number>>]>([
    ["1,000,000 too high", { 75: HIGH + 75 }],
    ["1,000 too high", { 75: 1_075 }],
    ["10 too high", { 75: 85 }],
    ["1 too high", { 75: 76 }],
    ["the largest there is", { 75: Number.MAX_SAFE_INTEGER }],
    ["far too low", { 75: 3 }],
    ["two of them, apart", { 40: HIGH + 40, 75: HIGH * 2 }],
    ["two of them, side by side", { 75: HIGH + 75, 76: HIGH + 76 }],
    ["three of them, falling", { 75: HIGH * 3, 76: HIGH * 2, 77: HIGH }],
    ["high and low in turn", { 75: HIGH, 77: 5, 79: HIGH }],
    ["the first of all", { 1: HIGH + 1 }],
    ["the first two of all", { 1: HIGH + 1, 2: HIGH + 2 }],
    ["the second", { 2: HIGH + 2 }],
    ["the last of all", { 150: HIGH + 150 }],
  ])("%s: dead, and the run goes on to its end", async (_, claims) => {
    const wrong = Object.keys(claims).map(Number);
    // The number that a frame claims may be another one's, which is then met twice.
    await using relay = await relayOf(stream(1, 150, claims));
    await using reader = openReader({ url: relay.url });
    const reading = await readToEnd(reader);
    expect(reading.last.endedBecause).toBe("quiet");
    const dead = reading.events.filter(({ kind }) => kind === "dead");
    const good = reading.events
      .filter(({ kind }) => kind === "record")
      .map(({ timeMs }) => (timeMs - timeOf(0)) / 1_000);
    // A number that is the next frame's, too, is a number that is used twice.
    const isTwin = claims[75] === 76;
    expect(good).toEqual(isTwin ? range(1, 150) : without(range(1, 150), ...wrong));
    expect(dead).toMatchObject(isTwin ? [] : wrong.map((seq) => ({ reason: "seq-outlier", seq: claims[seq] })));
    expect(reading.received).toBe(150);
    const cursors = reading.windows.flatMap(({ to }) => (to === null ? [] : [to.seq]));
    expect(Math.max(...cursors)).toBeLessThanOrEqual(150);
    expect(cursors.at(-1)).toBe(wrong.includes(150) ? 149 : 150);
  });

  it("too large to be a number here: as a broken frame, and the host still is quiet in the end", async () => {
    const bytes = Buffer.from(commitFrame({ seq: 2 ** 53 - 1, timeMs: timeOf(11) }));
    const place = bytes.indexOf(Buffer.from("001fffffffffffff", "hex"));
    bytes.write("0020000000000000", place, "hex");
    await using relay = await relayOf([...stream(1, 10), { seq: 2 ** 53, bytes }, ...stream(11, 20)]);
    await using reader = openReader({ url: relay.url, timings: { quietMs: 150 } });
    const reading = await readToEnd(reader);
    expect(reading.last.endedBecause).toBe("quiet");
    expect(reading.events.filter(({ kind }) => kind === "record").map(({ seq }) => seq)).toEqual(range(1, 20));
    expect(reading.events.find(({ kind }) => kind === "dead")).toMatchObject({ reason: "bad-frame" });
  });

  it.each([1, 3, 7])(
    "windows of %i events end at no frame that is doubted, and what is set aside is set aside once",
    async (maxEvents) => {
      await using relay = await relayOf(stream(1, 30, { 5: HIGH, 10: 2_000, 20: 3, 21: HIGH }));
      const cursors: (number | undefined)[] = [];
      const seen: unknown[] = [];
      let cursor: { seq: number; timeMs: number } | null = null;
      // Readers of three windows each, as in ticks that are short.
      for (let readers = 0; readers < 30 && cursor?.seq !== 30; readers++) {
        await using reader = openReader({ url: relay.url, position: { cursor, hostSeen: true } });
        for (let windows = 0; windows < 3; windows++) {
          const window = await reader.readWindow({ ...AMPLE, maxEvents }, never());
          const records = window.events.filter(({ kind }) => kind === "record");
          seen.push(...records.map(({ timeMs }) => (timeMs - timeOf(0)) / 1_000));
          cursors.push(window.to?.seq);
          cursor = window.to ?? cursor;
        }
      }
      expect(seen).toEqual(without(range(1, 30), 5, 10, 20, 21));
      expect(Math.max(...cursors.map((seq) => seq ?? 0))).toBe(30);
    },
  );

  it("a jump that is real is taken, and stays", async () => {
    await using relay = await relayOf([...stream(1, 20), ...stream(HIGH, HIGH + 20)]);
    await using reader = openReader({ url: relay.url });
    const reading = await readToEnd(reader);
    expect(reading.seqs).toEqual([...range(1, 20), ...range(HIGH, HIGH + 20)]);
    expect(reading.last.endedBecause).toBe("quiet");
  });

  it("a jump that two frames agree on, before the host falls quiet, is real", async () => {
    await using relay = await relayOf([...stream(1, 20), ...stream(HIGH, HIGH + 1)]);
    await using reader = openReader({ url: relay.url });
    expect((await readToEnd(reader)).seqs).toEqual([...range(1, 20), HIGH, HIGH + 1]);
  });

  it("a hole before the host falls quiet is no outlier", async () => {
    await using relay = await relayOf([...stream(1, 20), ...stream(25, 25)]);
    await using reader = openReader({ url: relay.url });
    const reading = await readToEnd(reader);
    expect([reading.seqs, reading.last.endedBecause]).toEqual([[...range(1, 20), 25], "quiet"]);
  });

  it("a host that begins anew still halts the reader, on one connection", async () => {
    await using relay = await startRelay({
      onConnect: ({ socket }) => [...stream(1, 20), ...stream(1, 9)].forEach(({ bytes }) => socket.send(bytes)),
    });
    await using reader = openReader({ url: relay.url });
    const reading = await readToEnd(reader);
    expect([reading.seqs, reading.last.endedBecause]).toEqual([range(1, 20), "seq-went-back"]);
    expect(reading.last.detail).toContain("seq 1 came after 20");
  });

  it.each([
    ["a close", 1],
    ["closes", 2],
    ["a close each time", Number.POSITIVE_INFINITY],
  ])("behind which the connection ends with %s: on from the last good frame", async (_, closes) => {
    const log = stream(1, 30, { 11: HIGH });
    await using relay = await startRelay({
      onConnect: (visit) => {
        if (visit.index >= closes) return serveLog(log)(visit);
        serveLog(log.slice(0, 11))(visit);
        if (visit.cursor !== null) visit.socket.close(1001);
      },
    });
    await using reader = openReader({ url: relay.url, timings: { idleMs: 400, quietMs: 500 } });
    const window = await reader.readWindow({ ...AMPLE, maxMs: 2_000 }, never());
    const records = window.events.filter(({ kind }) => kind === "record").map(({ seq }) => seq);
    expect(records).toEqual(without(range(1, closes < 3 ? 30 : 10), 11));
    expect(window.events.filter(({ kind }) => kind === "dead")).toMatchObject([{ seq: HIGH, reason: "seq-outlier" }]);
    expect(window.to?.seq).toBe(closes < 3 ? 30 : 10);
  });

  it("larger than what is let in at once: the frames behind it are let in", async () => {
    const large = { record: { text: "x".repeat(900_000) } };
    const huge = (seq: number): Buffer => commitFrame({ seq, ops: [large, { ...large, path: "a.b.c/d" }] });
    await using relay = await startRelay({
      onConnect: ({ cursor, socket }) => {
        if (cursor !== null) [huge(HIGH), ...range(11, 20).map(huge)].forEach((bytes) => socket.send(bytes));
      },
    });
    await using reader = openReader({
      url: relay.url,
      position: { cursor: at(10) },
      timings: { idleMs: 2_000, quietMs: 5_000 },
    });
    const window = await reader.readWindow({ ...AMPLE, maxEvents: 21 }, never());
    expect(window.events.map(({ kind, seq }) => [kind, seq])).toEqual([
      ["dead", HIGH],
      ...range(11, 20).flatMap((seq) => [
        ["record", seq],
        ["record", seq],
      ]),
    ]);
  });

  it("of any kind of frame, known or not", async () => {
    const odd = [
      markerFrame("#identity", HIGH),
      markerFrame("#account", HIGH + 5),
      frame({ op: 1, t: "#new" }, { seq: HIGH + 9, time: "2026-01-01T00:00:06.000Z" }),
    ];
    const log = [...stream(1, 5), ...odd.map((bytes, index) => ({ seq: HIGH + index, bytes })), ...stream(6, 20)];
    await using relay = await relayOf(log);
    await using reader = openReader({ url: relay.url });
    const reading = await readToEnd(reader);
    expect(reading.events.filter(({ kind }) => kind === "dead").map(({ seq }) => seq)).toEqual([
      HIGH,
      HIGH + 5,
      HIGH + 9,
    ]);
    expect(reading.last.endedBecause).toBe("quiet");
  });

  it("does not end a run that ends at a number", async () => {
    await using relay = await relayOf(stream(1, 40, { 20: HIGH }));
    await using reader = openReader({ url: relay.url, position: { endSeq: 30 } });
    const reading = await readToEnd(reader);
    expect(reading.events.filter(({ kind }) => kind === "record").map(({ seq }) => seq)).toEqual(
      without(range(1, 30), 20),
    );
    expect(reading.last.endedBecause).toBe("caught-up");
  });
});
