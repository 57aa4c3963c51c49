import { describe, expect, it } from "vitest";
import { commitFrame } from "@firehose-backfill/testing/firehose/frames";
import { AMPLE, never, openReader, readToEnd } from "@firehose-backfill/testing/firehose/reading";
import { startRelay, type Visit } from "@firehose-backfill/testing/firehose/scripted-relay";

const LARGE = "x".repeat(200_000);
const frames = Array.from({ length: 200 }, (_, index) =>
  commitFrame({ seq: index + 1, ops: [{ record: { index } }], payload: { zzzzzzzzzz: LARGE } }),
);

describe("back-pressure", () => {
  it("reaches the socket while nobody reads, and costs no frame", async () => {
    let sender: Visit["socket"] | null = null;
    await using relay = await startRelay({
      onConnect: ({ cursor, socket }) => {
        if (cursor !== "0") return;
        sender = socket;
        for (const bytes of frames) socket.send(bytes);
      },
    });
    await using reader = openReader({ url: relay.url, timings: { idleMs: 500, quietMs: 500 } });
    const first = await reader.readWindow({ ...AMPLE, maxEvents: 5 }, never());
    expect(first.events).toHaveLength(5);
    await new Promise((resolve) => setTimeout(resolve, 300));
    // 40 MB were sent; a megabyte waits here, some in the kernel, the rest at the sender.
    const unsent = (sender as Visit["socket"] | null)?.bufferedAmount ?? 0;
    expect(unsent).toBeGreaterThan(20_000_000);
    const rest = await readToEnd(reader, { maxReadBytes: 5_000_000 });
    expect(rest.seqs).toEqual(Array.from({ length: 195 }, (_, index) => index + 6));
    expect(rest.windows.length).toBeGreaterThan(6);
    expect(relay.visits.filter(({ cursor }) => cursor === "0")).toHaveLength(1);
  });

  it("issue 19.5: also while a frame is doubted whose window is over", async () => {
    const few = Array.from({ length: 5 }, (_, index) => commitFrame({ seq: index + 1, ops: [{ record: { index } }] }));
    // Its number is not the next one, and nothing is behind it yet.
    const doubted = commitFrame({ seq: 10, ops: [{ record: { index: 10 } }] });
    const many = Array.from({ length: 200 }, (_, index) =>
      commitFrame({ seq: index + 11, ops: [{ record: { index } }], payload: { zzzzzzzzzz: LARGE } }),
    );
    let sender: Visit["socket"] | null = null;
    await using relay = await startRelay({
      onConnect: ({ cursor, socket }) => {
        if (cursor !== "0") return;
        sender = socket;
        for (const bytes of [...few, doubted]) socket.send(bytes);
      },
    });
    await using reader = openReader({ url: relay.url, timings: { idleMs: 5_000, quietMs: 5_000 } });
    const first = await reader.readWindow({ ...AMPLE, maxMs: 300 }, never());
    expect(first.events).toHaveLength(5);
    for (const bytes of many) (sender as Visit["socket"] | null)?.send(bytes);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const unsent = (sender as Visit["socket"] | null)?.bufferedAmount ?? 0;
    expect(unsent).toBeGreaterThan(20_000_000);
    const window = await reader.readWindow({ ...AMPLE, maxEvents: 201 }, never());
    expect(window.events.map(({ seq }) => seq)).toEqual(Array.from({ length: 201 }, (_, index) => index + 10));
    expect(relay.visits.filter(({ cursor }) => cursor === "0")).toHaveLength(1);
  });
});
