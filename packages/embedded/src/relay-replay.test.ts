import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { decode } from "@ipld/dag-cbor";
import { expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { readFrames } from "@firehose-backfill/testing/embedded/relay-client";
import { seqOf } from "./relay-frame.ts";
import { memoryLog, splitFrames } from "./relay-log.ts";
import { startReplayRelay } from "./relay-replay.ts";

const FRAMES = splitFrames(await readFile(new URL("../../../test/fixtures/mixed-frames.bin", import.meta.url))).slice(
  0,
  12,
);
const SEQS = FRAMES.map((frame) => seqOf(frame) ?? 0);
const HEAD = SEQS.at(-1) ?? 0;
const PATH = "/xrpc/com.atproto.sync.subscribeRepos";

const seqsOf = (frames: readonly Uint8Array[]) => frames.map(seqOf);

/** Error frames and #info are small, so the one-byte length of their header identifies them. */
function parse(frame: Uint8Array | undefined): unknown {
  if (frame === undefined) throw new Error("no frame");
  for (let split = 1; split < 20; split += 1) {
    try {
      return [decode(frame.subarray(0, split)), decode(frame.subarray(split))];
    } catch {
      continue;
    }
  }
  throw new Error("not two items");
}

test("the frames it is tested with are numbered with gaps", () => {
  expect(SEQS).toHaveLength(12);
  expect(HEAD - (SEQS[0] ?? 0)).toBeGreaterThan(12);
});

test.each([
  { cursor: "0", expected: SEQS },
  { cursor: String(SEQS[3]), expected: SEQS.slice(4) },
  { cursor: String((SEQS[8] ?? 0) + 1), expected: SEQS.slice(9) },
])("cursor=$cursor sends what is above it", async ({ cursor, expected }) => {
  await using relay = await startReplayRelay({ frames: FRAMES });
  const { frames } = await readFrames(`${relay.url}${PATH}?cursor=${cursor}`, expected.length);
  expect(seqsOf(frames)).toEqual(expected);
});

test("rainbow sends the cursor's own event again", async () => {
  await using relay = await startReplayRelay({ frames: FRAMES, fromCursor: "at" });
  const { frames } = await readFrames(`${relay.url}${PATH}?cursor=${SEQS[3]}`, 9);
  expect(seqsOf(frames)).toEqual(SEQS.slice(3));
});

test.each(["", "?cursor="])("%j is live only", async (query) => {
  const log = memoryLog(FRAMES.slice(0, 6));
  await using relay = await startReplayRelay({ frames: log });
  const reading = readFrames(`${relay.url}${PATH}${query}`, 2);
  await vi.waitFor(() => expect(relay.connections).toBe(1));
  log.append(FRAMES.slice(6, 8));
  relay.wake();
  expect(seqsOf((await reading).frames)).toEqual(SEQS.slice(6, 8));
});

test("after the replay it goes on live", async () => {
  const log = memoryLog(FRAMES.slice(0, 2));
  await using relay = await startReplayRelay({ frames: log });
  const socket = new WebSocket(`${relay.url}${PATH}?cursor=0`);
  const got: (number | null)[] = [];
  socket.on("message", (frame: Buffer) => got.push(seqOf(frame)));
  await vi.waitFor(() => expect(got).toEqual(SEQS.slice(0, 2)));
  for (const frame of FRAMES.slice(2)) {
    log.append([frame]);
    relay.wake();
  }
  await vi.waitFor(() => expect(got).toEqual(SEQS));
  socket.terminate();
});

test("a cursor above the head is refused like a PDS does", async () => {
  await using relay = await startReplayRelay({ frames: FRAMES });
  const { frames, closeCode } = await readFrames(`${relay.url}${PATH}?cursor=${HEAD + 1}`);
  expect(frames.map(parse)).toEqual([[{ op: -1 }, { error: "FutureCursor", message: "Cursor in the future." }]]);
  expect(closeCode).toBe(1008);
});

test("the head itself is no cursor of the future", async () => {
  const log = memoryLog(FRAMES.slice(0, 11));
  await using relay = await startReplayRelay({ frames: log });
  const reading = readFrames(`${relay.url}${PATH}?cursor=${SEQS[10]}`, 1);
  await vi.waitFor(() => expect(relay.connections).toBe(1));
  log.append(FRAMES.slice(11));
  relay.wake();
  expect(seqsOf((await reading).frames)).toEqual([HEAD]);
});

test("a cursor above the head is live on the Go relay", async () => {
  const log = memoryLog(FRAMES.slice(0, 6));
  await using relay = await startReplayRelay({ frames: log, aboveHead: "live" });
  const reading = readFrames(`${relay.url}${PATH}?cursor=999999999`, 1);
  await vi.waitFor(() => expect(relay.connections).toBe(1));
  log.append(FRAMES.slice(6, 7));
  relay.wake();
  expect(seqsOf((await reading).frames)).toEqual([SEQS[6]]);
});

test.each(["abc", "-1", "1.5", "1e3", "99999999999999999999"])("cursor=%s is refused", async (cursor) => {
  await using relay = await startReplayRelay({ frames: FRAMES });
  const { frames, closeCode } = await readFrames(`${relay.url}${PATH}?cursor=${cursor}`);
  expect(parse(frames[0])).toMatchObject([{ op: -1 }, { error: "InvalidRequest" }]);
  expect(frames).toHaveLength(1);
  expect(closeCode).toBe(1008);
});

test("a cursor below the window gets #info without a seq, then the oldest", async () => {
  const log = memoryLog(FRAMES);
  log.trim(SEQS[4] ?? 0);
  await using relay = await startReplayRelay({ frames: log });
  const { frames } = await readFrames(`${relay.url}${PATH}?cursor=${SEQS[2]}`, 8);
  expect(parse(frames[0])).toMatchObject([{ op: 1, t: "#info" }, { name: "OutdatedCursor" }]);
  expect(seqsOf(frames)).toEqual([null, ...SEQS.slice(5)]);
});

test("the Go relay says nothing and begins at the oldest", async () => {
  const log = memoryLog(FRAMES);
  log.trim(SEQS[4] ?? 0);
  await using relay = await startReplayRelay({ frames: log, belowWindow: "silent" });
  const { frames } = await readFrames(`${relay.url}${PATH}?cursor=${SEQS[2]}`, 7);
  expect(seqsOf(frames)).toEqual(SEQS.slice(5));
});

test("cursor=0 and the cursor just below the window miss nothing and are told nothing", async () => {
  const log = memoryLog(FRAMES);
  log.trim(SEQS[4] ?? 0);
  await using relay = await startReplayRelay({ frames: log });
  for (const cursor of [0, SEQS[4]]) {
    const { frames } = await readFrames(`${relay.url}${PATH}?cursor=${cursor}`, 7);
    expect(seqsOf(frames)).toEqual(SEQS.slice(5));
  }
});

test("a reader that stops reading is waited for, and then gets everything", async () => {
  const big = Buffer.alloc(500_000);
  // {op: 1, t: "#commit"} {seq: u32, x: bytes}
  const frame = (seq: number) => {
    const head = Buffer.from("a261746723636f6d6d6974626f7001", "hex");
    const payload = Buffer.from(`a2637365711a${seq.toString(16).padStart(8, "0")}61785a0007a120`, "hex");
    return Buffer.concat([head, payload, big]);
  };
  const produced: number[] = [];
  const log = {
    oldestSeq: 1,
    headSeq: 200,
    trimmedSeq: 0,
    *after(seq: number) {
      for (let next = seq + 1; next <= 200; next += 1) {
        produced.push(next);
        yield { seq: next, frame: frame(next) };
      }
    },
  };
  await using relay = await startReplayRelay({ frames: log });
  const socket = new WebSocket(`${relay.url}${PATH}?cursor=0`, { perMessageDeflate: false });
  let received = 0;
  socket.on("message", () => {
    received += 1;
    if (received === 1) socket.pause();
  });
  // 100 MB in total; frames that were sent but not received are limited to a few kernel buffers and the high-water mark.
  let before = -1;
  await vi.waitFor(
    () => {
      const grown = produced.length !== before;
      before = produced.length;
      expect(grown).toBe(false);
    },
    { timeout: 5000, interval: 150 },
  );
  expect(produced.length).toBeGreaterThan(1);
  expect(produced.length).toBeLessThan(100);
  socket.resume();
  await vi.waitFor(() => expect(received).toBe(200), { timeout: 10_000 });
  socket.terminate();
});

test("a ping is answered, also while nothing is sent", async () => {
  await using relay = await startReplayRelay({ frames: FRAMES });
  const socket = new WebSocket(`${relay.url}${PATH}`);
  await new Promise((resolve) => socket.once("open", resolve));
  const pong = new Promise<string>((resolve) => socket.once("pong", (data) => resolve(data.toString())));
  socket.ping("here?");
  expect(await pong).toBe("here?");
  socket.terminate();
});

test("another path is not found, plain HTTP is told to upgrade", async () => {
  await using relay = await startReplayRelay({ frames: FRAMES });
  await expect(readFrames(`${relay.url}/xrpc/com.example.other`)).rejects.toThrow("404");
  expect((await fetch(`http://127.0.0.1:${relay.port}${PATH}`)).status).toBe(426);
  expect((await fetch(`http://127.0.0.1:${relay.port}/`)).status).toBe(404);
});

test("listens on loopback only and is gone when disposed of", async () => {
  const relay = await startReplayRelay({ frames: FRAMES });
  const open = readFrames(`${relay.url}${PATH}`);
  await vi.waitFor(() => expect(relay.connections).toBe(1));
  await relay[Symbol.asyncDispose]();
  expect((await open).closeCode).toBe(1006);
  const refused = new Promise((resolve) => connect(relay.port, "127.0.0.1").once("error", resolve));
  expect(await refused).toMatchObject({ code: "ECONNREFUSED" });
});

test("a crash cuts connections without a close frame; the next one is served", async () => {
  await using relay = await startReplayRelay({ frames: FRAMES });
  const open = readFrames(`${relay.url}${PATH}`);
  await vi.waitFor(() => expect(relay.connections).toBe(1));
  relay.dropConnections();
  expect((await open).closeCode).toBe(1006);
  expect((await readFrames(`${relay.url}${PATH}?cursor=0`, 12)).frames).toHaveLength(12);
});

test("a log keeps the order of seq", () => {
  const log = memoryLog(FRAMES.slice(0, 2));
  expect(() => log.append(FRAMES.slice(1, 2))).toThrow(RangeError);
  expect(log.headSeq).toBe(SEQS[1]);
});
