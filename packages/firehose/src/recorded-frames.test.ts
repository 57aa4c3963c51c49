import { readFileSync } from "node:fs";
import { CarReader } from "@ipld/car";
import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { compileFilter } from "./filter.ts";
import { readFrameFile } from "@firehose-backfill/testing/firehose/frame-file";
import { readFrame } from "./frame.ts";
import { extracted } from "@firehose-backfill/testing/firehose/extracted";
import type { MessageFrame } from "./frame-types.ts";

interface Payload {
  readonly seq: number;
  readonly time: string;
  readonly did?: string;
  readonly repo?: string;
  readonly rev?: string;
  readonly commit?: CID;
  readonly blocks?: Uint8Array;
  readonly ops?: readonly { readonly action: string; readonly path: string; readonly cid: CID | null }[];
  readonly handle?: string;
  readonly active?: boolean;
  readonly status?: string;
}

const everything = compileFilter({ collections: [], dids: [] });

function recorded(name: string): Buffer[] {
  const file = readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
  return [...readFrameFile(file)].map((bytes) => Buffer.from(bytes));
}

/** By a library: it takes whole items only, so the border between the two is tried out. */
function decodeIndependently(frame: Uint8Array): { header: { t: string }; payload: Payload } {
  for (let border = 5; border < 40; border++) {
    try {
      const header = dagCbor.decode<{ t: string }>(frame.subarray(0, border));
      return { header, payload: dagCbor.decode<Payload>(frame.subarray(border)) };
    } catch {
      // Not here.
    }
  }
  throw new Error("not a frame");
}

function asMessage(frame: Buffer): MessageFrame {
  const read = readFrame(frame);
  if (read.kind === "broken" || read.kind === "unknown" || read.kind === "info" || read.kind === "error") {
    throw new Error(`${read.kind} instead of a message`);
  }
  return read;
}

function ownFields(read: MessageFrame): unknown {
  switch (read.kind) {
    case "identity":
      return { handle: read.handle };
    case "account":
      return { active: read.active, status: read.status };
    case "sync":
    case "commit":
      return { rev: read.rev };
    default: {
      const unreachable: never = read;
      return unreachable;
    }
  }
}

function expectedFields(kind: MessageFrame["kind"], payload: Payload): unknown {
  if (kind === "identity") return { handle: payload.handle ?? null };
  if (kind === "account") return { active: payload.active, status: payload.status ?? null };
  return { rev: payload.rev };
}

describe.each(["pds-frames-small.bin", "network-frames.bin"])(
  "%s, compared with @ipld/dag-cbor and @ipld/car",
  (name) => {
    const frames = recorded(name);

    it("has frames", () => {
      expect(frames.length).toBeGreaterThan(30);
    });

    it("says the same of every frame", () => {
      for (const frame of frames) {
        const { header, payload } = decodeIndependently(frame);
        const read = asMessage(frame);
        expect({ type: `#${read.kind}`, seq: read.seq, timeMs: read.timeMs, did: read.did }).toEqual({
          type: header.t,
          seq: payload.seq,
          timeMs: Date.parse(payload.time),
          did: payload.did ?? payload.repo,
        });
        expect(ownFields(read)).toEqual(expectedFields(read.kind, payload));
      }
    });

    it("finds the same operations, CIDs and record bytes", async () => {
      let compared = 0;
      for (const frame of frames) {
        const read = asMessage(frame);
        if (read.kind !== "commit" || read.fault !== null) continue;
        const { payload } = decodeIndependently(frame);
        const car = await CarReader.fromBytes(payload.blocks ?? new Uint8Array(0));
        const { events } = extracted(read, {
          filter: everything,
          verify: "structure",
          isAhead: () => false,
        });
        const expected = await Promise.all(
          (payload.ops ?? []).map(async ({ action, path, cid }) => ({
            path,
            action,
            cid: action === "delete" ? null : String(cid),
            record: cid === null || action === "delete" ? null : (await car.get(cid))?.bytes,
          })),
        );
        const found = events.map((event) => {
          if (event.kind !== "record") throw new Error(`${event.kind} instead of a record`);
          return {
            path: `${event.collection}/${event.rkey}`,
            action: event.action,
            cid: event.cid === null ? null : String(CID.decode(event.cid)),
            record: event.record,
          };
        });
        expect(found).toEqual(expected);
        compared += found.length;
      }
      expect(compared).toBeGreaterThan(30);
    });

    it("hands out memory of its own", () => {
      for (const frame of frames) {
        // Not of the pool that the copies come from.
        const copy = Buffer.alloc(frame.length, frame);
        const read = asMessage(copy);
        const rules = { filter: everything, verify: "signature", isAhead: () => false } as const;
        const { events, signed } = extracted(read, rules);
        const before = structuredClone({ events, signed });
        copy.fill(0);
        expect({ events, signed }).toEqual(before);
        for (const event of events) {
          const record = event.kind === "record" ? event.record : null;
          // Small copies share a pool; none shares the frame's memory, nor much memory with others.
          expect(record?.buffer).not.toBe(copy.buffer);
          expect((record?.buffer.byteLength ?? 0) - (record?.length ?? 0)).toBeLessThanOrEqual(65_536);
        }
      }
    });
  },
);

describe("commits that do not hold what the event says", () => {
  /** Sequence numbers of what the Go relay drops in its own tests for the order of revisions, and why we drop it. */
  const dropped = new Map([
    [101, "bad-rev"],
    [102, "commit-mismatch"],
  ]);

  it("are dead, and no others", () => {
    const dead = new Map<number, string>();
    for (const frame of [...recorded("network-frames.bin"), ...recorded("pds-frames-small.bin")]) {
      const read = asMessage(frame);
      const rules = { filter: everything, verify: "hash", isAhead: () => false } as const;
      for (const event of extracted(read, rules).events) {
        if (event.kind === "dead") dead.set(event.seq, event.reason);
      }
    }
    expect(dead).toEqual(dropped);
  });
});
