import { describe, expect, it } from "vitest";
import {
  commitFrame,
  errorFrame,
  frame,
  infoFrame,
  timeOf,
  truncatedFrame,
} from "@firehose-backfill/testing/firehose/frames";
import { AMPLE, never, openReader, readToEnd } from "@firehose-backfill/testing/firehose/reading";
import { serve, startRelay, type Visit } from "@firehose-backfill/testing/firehose/scripted-relay";

const at = (seq: number) => ({ seq, timeMs: timeOf(seq) });
const commits = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    seq: from + index,
    bytes: commitFrame({ seq: from + index }),
  }));
const send = ({ socket }: Visit, ...frames: readonly Buffer[]) => frames.forEach((bytes) => socket.send(bytes));
const cursors = (visits: readonly Visit[]) => visits.map(({ cursor }) => cursor);

describe("cursors that the host does not like", () => {
  it("OutdatedCursor: a gap up to the first frame, no probe needed", async () => {
    await using relay = await startRelay({
      onConnect: (visit) => send(visit, infoFrame("OutdatedCursor"), ...commits(500, 502).map(({ bytes }) => bytes)),
    });
    await using reader = openReader({ url: relay.url, position: { cursor: at(10) } });
    const window = await reader.readWindow(AMPLE, never());
    expect(window.gaps).toEqual([{ from: at(10), to: at(500), reason: expect.stringMatching(/outdated/) }]);
    expect(window).toMatchObject({ received: 3, frames: 3, oldestKeptMs: timeOf(500) });
    expect(cursors(relay.visits)).toEqual(["10"]);
  });

  it("OutdatedCursor where the oldest was asked for: nothing is missing", async () => {
    await using relay = await startRelay({
      onConnect: (visit) => send(visit, infoFrame("OutdatedCursor"), commitFrame({ seq: 500 })),
    });
    await using reader = openReader({ url: relay.url });
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({
      gaps: [],
      events: [{ seq: 500 }],
      oldestKeptMs: timeOf(500),
    });
  });

  it("a silent floor: much later, and the oldest kept is above the cursor", async () => {
    await using relay = await startRelay({ onConnect: serve(commits(2_000, 2_005)) });
    await using reader = openReader({ url: relay.url, position: { cursor: at(10) } });
    const reading = await readToEnd(reader);
    expect(reading.gaps).toEqual([{ from: at(10), to: at(2_000), reason: expect.any(String) }]);
    expect(reading.seqs).toEqual([2_000, 2_001, 2_002, 2_003, 2_004, 2_005]);
    expect(cursors(relay.visits).slice(0, 2)).toEqual(["10", "0"]);
    expect(relay.mostOpen()).toBe(2);
  });

  it("a silent jump: much later, but everything is still kept", async () => {
    await using relay = await startRelay({ onConnect: serve([...commits(1, 10), ...commits(2_000, 2_002)]) });
    await using reader = openReader({ url: relay.url, position: { cursor: at(10) } });
    const reading = await readToEnd(reader);
    expect([reading.gaps, reading.seqs]).toEqual([[], [2_000, 2_001, 2_002]]);
    expect(cursors(relay.visits).slice(0, 2)).toEqual(["10", "0"]);
  });

  it("a jump within 10 minutes is no suspicion", async () => {
    await using relay = await startRelay({ onConnect: serve(commits(600, 602)) });
    await using reader = openReader({ url: relay.url, position: { cursor: at(10) } });
    const window = await reader.readWindow(AMPLE, never());
    expect([window.gaps, cursors(relay.visits)]).toEqual([[], ["10"]]);
  });

  it("FutureCursor: kept, and never connected to again", async () => {
    await using relay = await startRelay({
      onConnect: (visit) => {
        send(visit, errorFrame("FutureCursor"));
        visit.socket.close(1008);
      },
    });
    await using reader = openReader({ url: relay.url, position: { cursor: at(900) } });
    for (let round = 0; round < 2; round++) {
      expect(await reader.readWindow(AMPLE, never())).toMatchObject({
        endedBecause: "cursor-ahead",
        to: null,
        received: 0,
      });
    }
    expect(relay.attempts()).toBe(1);
  });

  it("a silent future cursor: the host goes live below it", async () => {
    await using relay = await startRelay({
      onConnect: (visit) => send(visit, commitFrame({ seq: 50, timeMs: timeOf(5_000) })),
    });
    await using reader = openReader({ url: relay.url, position: { cursor: at(900) } });
    const window = await reader.readWindow(AMPLE, never());
    expect(window).toMatchObject({ endedBecause: "cursor-ahead", to: null, events: [] });
    expect(window.detail).toContain("50");
  });

  it.each([
    [
      "on one connection",
      (visit: Visit) => send(visit, commitFrame({ seq: 12 }), commitFrame({ seq: 13 }), commitFrame({ seq: 5 })),
    ],
    [
      "from one connection to the next",
      (visit: Visit) => {
        send(
          visit,
          ...(visit.index === 0 ? [commitFrame({ seq: 12 }), commitFrame({ seq: 13 })] : [commitFrame({ seq: 5 })]),
        );
        visit.socket.close(1000);
      },
    ],
  ])("seq went back %s", async (_, onConnect) => {
    await using relay = await startRelay({ onConnect });
    await using reader = openReader({ url: relay.url, position: { cursor: at(10) } });
    const reading = await readToEnd(reader);
    expect(reading.seqs).toEqual([12, 13]);
    expect(reading.last).toMatchObject({ endedBecause: "seq-went-back" });
    expect(reading.last.detail).toContain("seq 5 came after 13");
  });

  it("old frames below the cursor are no future cursor", async () => {
    await using relay = await startRelay({ onConnect: (visit) => send(visit, commitFrame({ seq: 5 })) });
    await using reader = openReader({ url: relay.url, position: { cursor: at(900) } });
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({ endedBecause: "seq-went-back", to: null });
  });
});

describe("connections that end", () => {
  it.each([
    ["1000", ({ socket }: Visit) => socket.close(1000)],
    ["1001", ({ socket }: Visit) => socket.close(1001)],
    ["1008", ({ socket }: Visit) => socket.close(1008, "too slow")],
    ["no close frame", ({ socket }: Visit) => socket.terminate()],
    ["ConsumerTooSlow", (visit: Visit) => send(visit, errorFrame("ConsumerTooSlow"))],
    ["an error nobody knows", (visit: Visit) => send(visit, errorFrame("Tired"))],
    ["a broken WebSocket frame", ({ socket }: Visit) => rawSocket(socket).write(Buffer.from([0xf2, 0x01, 0x00]))],
  ])("%s: on from the cursor, nothing lost, nothing twice", async (_, finish) => {
    await using relay = await startRelay({
      onConnect: (visit) => {
        const cursor = Number(visit.cursor);
        if (visit.cursor === null || cursor >= 40) return;
        send(visit, ...commits(cursor + 1, cursor + 10).map(({ bytes }) => bytes));
        setTimeout(() => finish(visit), 20);
      },
    });
    await using reader = openReader({ url: relay.url, timings: { idleMs: 5_000, quietMs: 5_000 } });
    const window = await reader.readWindow({ ...AMPLE, maxEvents: 40 }, never());
    expect(window.events.map(({ seq }) => seq)).toEqual(commits(1, 40).map(({ seq }) => seq));
    expect(cursors(relay.visits)).toEqual(["0", "10", "20", "30"]);
  });

  it("half open: no frame and no pong", async () => {
    await using relay = await startRelay({
      isDeaf: true,
      onConnect: (visit) => {
        if (visit.cursor !== null) send(visit, commitFrame({ seq: Number(visit.cursor) + 1 }));
      },
    });
    await using reader = openReader({ url: relay.url, timings: { idleMs: 10_000, pongTimeoutMs: 50 } });
    const window = await reader.readWindow({ ...AMPLE, maxEvents: 3 }, never());
    expect(window.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(cursors(relay.visits)).toEqual(["0", "1", "2"]);
  });

  it("waits longer and longer while they bring nothing, and says why in the end", async () => {
    await using relay = await startRelay({ onConnect: ({ socket }) => socket.close(1011, "no") });
    await using reader = openReader({ url: relay.url, timings: { reconnectMaxMs: 160, backOffMaxMs: 800 } });
    const window = await reader.readWindow({ ...AMPLE, maxMs: 2_000 }, never());
    expect(window).toMatchObject({ endedBecause: "unreachable", to: null, detail: "closed with 1011: no" });
    expect(relay.attempts()).toBeGreaterThan(2);
    expect(relay.attempts()).toBeLessThan(9);
  });
});

describe("answers that are no upgrade", () => {
  const answer = (head: string, body = "") =>
    `HTTP/1.1 ${head}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;

  it.each(["501 Not Implemented", "404 Not Found"])("%s is for good", async (head) => {
    await using relay = await startRelay({
      onUpgrade: (socket) => socket.end(answer(head, "no such method")) === socket,
    });
    await using reader = openReader({ url: relay.url });
    for (let round = 0; round < 2; round++) {
      expect(await reader.readWindow(AMPLE, never())).toMatchObject({ endedBecause: "refused", to: null });
    }
    expect(relay.attempts()).toBe(1);
  });

  it("HTML is quoted, briefly, and tried again", async () => {
    const page = `<!doctype html>\n<h1>Bad   gateway</h1>${"x".repeat(100_000)}`;
    await using relay = await startRelay({
      onUpgrade: (socket, index) => index < 2 && socket.end(answer("502 Bad Gateway", page)) === socket,
      onConnect: serve(commits(1, 1)),
    });
    const failing = openReader({ url: relay.url, timings: { reconnectMaxMs: 10_000, backOffMaxMs: 10_000 } });
    const failed = await failing.readWindow({ ...AMPLE, maxMs: 1_000 }, never());
    await failing[Symbol.asyncDispose]();
    expect(failed.endedBecause).toBe("unreachable");
    expect(failed.detail).toContain("HTTP 502 instead of the upgrade: <!doctype html> <h1>Bad gateway</h1>xxx");
    expect(failed.detail?.length).toBeLessThan(700);
    await using reader = openReader({ url: relay.url });
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({ events: [{ seq: 1 }] });
  });

  it("an endless body is not read to its end", async () => {
    await using relay = await startRelay({
      onUpgrade: (socket, index) => {
        if (index > 0) return false;
        socket.write("HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n");
        const timer = setInterval(() => socket.write(`400\r\n${"x".repeat(1_024)}\r\n`), 1);
        socket.on("close", () => clearInterval(timer));
        return true;
      },
      onConnect: serve(commits(1, 1)),
    });
    await using reader = openReader({ url: relay.url });
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({ events: [{ seq: 1 }] });
  });

  it("429: Retry-After is honoured", async () => {
    const times: number[] = [];
    await using relay = await startRelay({
      onUpgrade: (socket, index) => {
        times.push(performance.now());
        return index === 0 && socket.end(answer("429 Slow down\r\nRetry-After: 1")) === socket;
      },
      onConnect: serve(commits(1, 1)),
    });
    await using reader = openReader({ url: relay.url });
    // A window that would not see the answer does not wait for it.
    const early = await reader.readWindow({ ...AMPLE, maxMs: 300 }, never());
    expect(early).toMatchObject({ endedBecause: "unreachable" });
    expect(early.detail).toContain("retry after 1 s");
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({ events: [{ seq: 1 }] });
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(950);
  });

  it("a redirect is not followed", async () => {
    await using elsewhere = await startRelay({ onConnect: serve(commits(1, 1)) });
    await using relay = await startRelay({
      onUpgrade: (socket) => socket.end(answer(`302 Found\r\nLocation: ${elsewhere.url}`)) === socket,
    });
    await using reader = openReader({ url: relay.url });
    expect(await reader.readWindow({ ...AMPLE, maxMs: 200 }, never())).toMatchObject({ endedBecause: "unreachable" });
    expect(elsewhere.attempts()).toBe(0);
  });

  it("nobody there", async () => {
    const relay = await startRelay({});
    await relay[Symbol.asyncDispose]();
    await using reader = openReader({ url: relay.url });
    const window = await reader.readWindow({ ...AMPLE, maxMs: 200 }, never());
    expect(window).toMatchObject({ endedBecause: "unreachable", to: null });
    expect(window.detail).toContain("ECONNREFUSED");
  });

  it("a server that never answers the upgrade", async () => {
    await using relay = await startRelay({ onUpgrade: (_, index) => index === 0, onConnect: serve(commits(1, 1)) });
    await using reader = openReader({ url: relay.url, timings: { connectTimeoutMs: 100 } });
    expect(await reader.readWindow(AMPLE, never())).toMatchObject({ events: [{ seq: 1 }] });
  });
});

describe("frames that are broken", () => {
  const good = commitFrame({ seq: 3 });
  it.each<[string, (visit: Visit) => void, RegExp]>([
    ["truncated", (visit) => send(visit, truncatedFrame(3)), /truncated/],
    ["one item", (visit) => send(visit, frame({ op: 1, t: "#commit" }, null).subarray(0, -1)), /one item/],
    ["three items", (visit) => send(visit, Buffer.concat([good, Buffer.from([0xf6])])), /more than two items/],
    ["text", ({ socket }) => socket.send("hello"), /a text frame/],
    ["empty", (visit) => send(visit, Buffer.alloc(0)), /truncated/],
    ["larger than 5 MB", (visit) => send(visit, Buffer.alloc(5_000_001)), /larger than 5000000 bytes/],
  ])("%s: twice it costs the connection, the third time it is set aside", async (_, sendBroken, error) => {
    const logs: string[] = [];
    await using relay = await startRelay({
      onConnect: (visit) => {
        const cursor = Number(visit.cursor);
        if (visit.cursor === null) return;
        for (const { seq, bytes } of commits(1, 2)) if (seq > cursor) send(visit, bytes);
        if (cursor < 4) sendBroken(visit);
        for (const { seq, bytes } of commits(4, 5)) if (seq > cursor) send(visit, bytes);
      },
    });
    await using reader = openReader({ url: relay.url, timings: { idleMs: 1_000 }, onLog: (line) => logs.push(line) });
    const window = await reader.readWindow({ ...AMPLE, maxEvents: 5 }, never());
    expect(window.events.map(({ kind, seq }) => [kind, seq])).toEqual([
      ["record", 1],
      ["record", 2],
      ["dead", 2],
      ["record", 4],
      ["record", 5],
    ]);
    expect(window.events[2]).toMatchObject({ reason: "bad-frame", error: expect.stringMatching(error) });
    expect(window).toMatchObject({ received: 5, brokenFrames: 0, to: { seq: 5 } });
    expect(cursors(relay.visits)).toEqual(["0", "2", "2"]);
    expect(logs).toHaveLength(2);
    expect(logs[0]).toMatch(/after seq 2/);
  });

  it("that do not come again cost one connection and no event", async () => {
    await using relay = await startRelay({
      onConnect: (visit) => {
        if (visit.index === 0) send(visit, commitFrame({ seq: 1 }), truncatedFrame(2));
        else serve(commits(1, 3))(visit);
      },
    });
    await using reader = openReader({ url: relay.url, timings: { idleMs: 500 } });
    const window = await reader.readWindow({ ...AMPLE, maxEvents: 3 }, never());
    expect(window.events.map(({ kind, seq }) => [kind, seq])).toEqual([1, 2, 3].map((seq) => ["record", seq]));
    expect(window.brokenFrames).toBe(0);
  });

  it("are counted across readers", async () => {
    await using relay = await startRelay({
      onConnect: (visit) => {
        if (visit.cursor !== null) send(visit, truncatedFrame(8), commitFrame({ seq: 9 }));
      },
    });
    const patient = { reconnectMinMs: 5_000, reconnectMaxMs: 5_000, backOffMaxMs: 5_000 };
    const counts: unknown[] = [];
    let brokenFrames = 0;
    for (let tick = 0; tick < 3; tick++) {
      await using reader = openReader({ url: relay.url, position: { cursor: at(7), brokenFrames }, timings: patient });
      const window = await reader.readWindow({ ...AMPLE, maxMs: 400 }, never());
      counts.push([window.endedBecause, window.brokenFrames, window.events.length]);
      ({ brokenFrames } = window);
    }
    expect(counts).toEqual([
      ["bad-frame", 1, 0],
      ["bad-frame", 2, 0],
      ["idle", 0, 2],
    ]);
  });
});

/** The TCP socket under a server's WebSocket. */
function rawSocket(socket: Visit["socket"]): { write(bytes: Buffer): void } {
  const raw: unknown = Reflect.get(socket, "_socket");
  if (typeof raw !== "object" || raw === null || !("write" in raw) || typeof raw.write !== "function")
    throw new Error("no socket");
  const { write } = raw;
  return { write: (bytes) => void Reflect.apply(write, raw, [bytes]) };
}
