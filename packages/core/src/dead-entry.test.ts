import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { encodeEvent } from "./cbor/event-layout.ts";
import {
  aboutEvent,
  deadEntry,
  MAX_DEAD_ERROR_CHARS,
  MAX_DEAD_PATH_CHARS,
  MAX_DEAD_PAYLOAD_BYTES,
} from "./dead-entry.ts";
import type { RecordEvent } from "./event.ts";

const at = { seq: 7, timeMs: 1_000, did: "did:plc:a", path: "a.b.c/d", reason: "bad-op", error: "why" };
/** Three bytes of UTF-8 each: the most that one unit of a string takes. */
const long = "\u{20AC}".repeat(100_000);

describe("issue 13.6: a dead entry", () => {
  test("keeps what is short as it is", () => {
    const payload = Uint8Array.of(1, 2, 3);
    expect(deadEntry({ ...at, payload })).toEqual({ kind: "dead", ...at, payload });
    expect(deadEntry({ ...at, did: null, path: null, payload })).toMatchObject({ did: null, path: null });
  });

  test("is cut, so that it fits into every message of the queue", () => {
    const entry = deadEntry({
      ...at,
      did: long.slice(0, 2_048),
      path: long,
      error: long,
      payload: Buffer.alloc(100_000),
    });
    expect(entry.path).toBe(`${long.slice(0, MAX_DEAD_PATH_CHARS)}…`);
    expect(entry.error).toBe(`${long.slice(0, MAX_DEAD_ERROR_CHARS)}…`);
    expect(entry.payload.length).toBe(MAX_DEAD_PAYLOAD_BYTES);
    expect(encodeEvent(entry).length).toBeLessThan(32 * 1024);
    expect(deadEntry({ ...at, did: long, payload: entry.payload }).did).toBe(null);
  });

  test("is never cut within a character", () => {
    expect(
      deadEntry({ ...at, error: `a${"\u{1F98B}".repeat(600)}`, payload: Uint8Array.of() }).error.isWellFormed(),
    ).toBe(true);
  });

  test("has a copy of the bytes, and not the memory that they came in", () => {
    const frame = Buffer.alloc(50_000, 1);
    const { payload } = deadEntry({ ...at, payload: frame.subarray(10, 20) });
    frame.fill(2);
    expect([...payload]).toEqual(Array.from({ length: 10 }, () => 1));
    expect(payload.buffer.byteLength).toBe(10);
  });

  test("says of an event where it stood, whose it was, and what it held", () => {
    const record = Uint8Array.of(9);
    const event: RecordEvent = {
      kind: "record",
      seq: 1,
      timeMs: 2,
      did: "did:plc:b",
      action: "create",
      collection: "a.b.c",
      rkey: "k",
      rev: "r",
      cid: null,
      record,
    };
    expect(aboutEvent(event)).toEqual({ seq: 1, timeMs: 2, did: "did:plc:b", path: "a.b.c/k", payload: record });
    expect(aboutEvent({ ...event, record: null }).payload).toEqual(new Uint8Array());
    expect(aboutEvent({ kind: "sync", seq: 1, timeMs: 2, did: "did:plc:b", rev: "r" }).path).toBe(null);
    const dead = deadEntry({ ...at, payload: record });
    expect(aboutEvent(dead)).toMatchObject({ path: at.path, payload: record });
  });

  test("is made in one place; besides, only the codec reads back what was made there", () => {
    const root = `${import.meta.dirname}/../../../`;
    const makers = globSync(["packages/*/src/**/*.ts", "functions/**/*.ts"], {
      cwd: root,
      exclude: ["**/testing/**", "**/*.test.ts"],
    }).filter((file) => /kind: "dead",(?! event:)/.test(readFileSync(`${root}${file}`, "utf8")));
    expect(makers.toSorted()).toEqual(["packages/core/src/cbor/event-layout.ts", "packages/core/src/dead-entry.ts"]);
  });
});
