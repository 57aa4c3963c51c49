import { describe, expect, it } from "vitest";
import { commitFrame, infoFrame, timeOf } from "@firehose-backfill/testing/firehose/frames";
import { AMPLE, never, openReader, QUICK, readToEnd } from "@firehose-backfill/testing/firehose/reading";
import { startRelay } from "@firehose-backfill/testing/firehose/scripted-relay";

const cursor = { seq: 10, timeMs: timeOf(10) };
const seen = { cursor, hostSeen: true };

describe("hosts that say nothing", () => {
  it("never a frame: silent, after a while", async () => {
    await using relay = await startRelay({});
    await using reader = openReader({ url: relay.url, position: { cursor } });
    const began = performance.now();
    const reading = await readToEnd(reader, { maxMs: 70 });
    expect(reading.last).toMatchObject({ endedBecause: "host-silent", to: null, hostSeen: false });
    // Over several windows: the time goes on between them.
    expect(reading.windows.length).toBeGreaterThan(2);
    expect(performance.now() - began).toBeGreaterThanOrEqual(QUICK.silentMs);
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({ endedBecause: "host-silent" });
  });

  it("never a frame, over several readers", async () => {
    await using relay = await startRelay({});
    const began = performance.now();
    const silentSinceMs = Date.now() - 10_000;
    await using reader = openReader({
      url: relay.url,
      position: { cursor, silentSinceMs },
      timings: { silentMs: 2_000 },
    });
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({ endedBecause: "host-silent", to: null });
    // Half of the time has to pass on this connection, the rest may have passed before.
    expect(performance.now() - began).toBeGreaterThanOrEqual(1_000);
    expect(performance.now() - began).toBeLessThan(1_950);
  });

  it("nothing new on three connections: quiet, also over windows that are shorter than the proof", async () => {
    await using relay = await startRelay({});
    await using reader = openReader({ url: relay.url, position: seen });
    const reading = await readToEnd(reader, { maxMs: 50 });
    expect(reading.last).toMatchObject({ endedBecause: "quiet", to: null });
    expect(relay.visits.map((visit) => visit.cursor)).toEqual(["10", "10", null]);
    expect(relay.mostOpen()).toBe(2);
  });

  it("a cursor that is sent again, and what has no seq, is nothing new", async () => {
    await using relay = await startRelay({
      onConnect: ({ cursor: asked, socket }) => {
        if (asked === null) return;
        socket.send(infoFrame("Hello"));
        socket.send(commitFrame({ seq: 10 }));
      },
    });
    await using reader = openReader({ url: relay.url, position: { cursor } });
    const reading = await readToEnd(reader);
    expect(reading.last).toMatchObject({ endedBecause: "quiet", to: null, hostSeen: true });
  });

  it("live frames, but none on our cursor: silent on our cursor", async () => {
    await using relay = await startRelay({
      onConnect: ({ cursor: asked, socket }) => {
        if (asked === null) socket.send(commitFrame({ seq: 11 }));
      },
    });
    await using reader = openReader({ url: relay.url, position: seen });
    const { last } = await readToEnd(reader);
    expect(last).toMatchObject({ endedBecause: "silent-on-cursor", to: null });
    expect(last.detail).toContain("10");
  });

  it("live frames that our connection then brings too: not quiet, nothing lost", async () => {
    const delayMs = QUICK.quietMs / 2;
    await using relay = await startRelay({
      onConnect: ({ index, cursor: asked, socket }) => {
        if (asked !== null) return;
        const main = relay.visits[0]?.socket;
        socket.send(commitFrame({ seq: 10 + index }));
        setTimeout(() => main?.send(commitFrame({ seq: 10 + index })), delayMs);
      },
    });
    await using reader = openReader({ url: relay.url, position: seen });
    const window = await reader.readWindow(AMPLE, never());
    expect(window).toMatchObject({ endedBecause: "idle", events: [{ seq: 12 }] });
  });

  it("a second connection that brings what ours does not: ours is replaced", async () => {
    await using relay = await startRelay({
      onConnect: ({ index, cursor: asked, socket }) => {
        if (index > 0 && asked !== null && Number(asked) < 11) socket.send(commitFrame({ seq: 11 }));
      },
    });
    await using reader = openReader({ url: relay.url, position: seen });
    const reading = await readToEnd(reader);
    expect([reading.seqs, reading.last.endedBecause]).toEqual([[11], "quiet"]);
    expect(relay.visits.map((visit) => visit.cursor)).toEqual(["10", "10", "10", "11", null]);
  });

  it("a host that refuses second connections proves nothing", async () => {
    await using relay = await startRelay({
      onUpgrade: (socket, index) => index > 0 && socket.end("HTTP/1.1 429 No\r\nConnection: close\r\n\r\n") === socket,
    });
    await using reader = openReader({ url: relay.url, position: seen });
    const window = await reader.readWindow({ ...AMPLE, maxMs: QUICK.quietMs * 5 }, never());
    expect(window).toMatchObject({ endedBecause: "time", to: null });
    expect(relay.attempts()).toBe(2);
  });
});
