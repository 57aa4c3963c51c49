import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { RUN_STATUSES } from "@firehose-backfill/core/run-state";
import { cursorAt, MAX_DEFLATED_STATE_BYTES, MAX_SOURCE_TEXT_BYTES } from "@firehose-backfill/source/cursor";
import {
  aRun,
  advanceAll,
  keyOf,
  leased,
  NOW,
  register,
  RUN,
  theRun,
} from "@firehose-backfill/testing/checkpoint/harness";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { newRunValue, patchOf } from "../run-values.ts";
import type { Pace } from "../pace.ts";
import type { Run, RunItem } from "../run.ts";
import { toAttributes } from "../table/dynamo-values.ts";
import type { Item, Key } from "../table/table.ts";
import { itemOf } from "./attributes.ts";
import { paceKey, runKey } from "./keys.ts";
import { paceAttributes, readPace } from "./pace-item.ts";
import { attributesOf, readRunItem } from "./run-item.ts";

const MAX_RUN_BYTES = 3072;

/** A state as packages/repos writes it, but longer than allowed. `prefix` says how much of each key is the name of a collection. */
function stateOfRepos(prefix: number): string {
  const repos = Array.from({ length: 40 }, (_, index) => [
    `did:plc:${noise(index, 24)}`,
    "app.bsky.graph.follow/".slice(0, prefix) + noise(index + 100, 35 - prefix),
    index % 8,
    index % 2,
  ]);
  return JSON.stringify([1, [noise(7, 40), 999], 99_999_999, 99_999_999, 99_999_999, 10_000, 99_999_999, "x", repos]);
}
const MAX_PACE_BYTES = 2048;
const WIDE = cursorAt(Number.MAX_SAFE_INTEGER, NOW + 0.123);

/** A run in which every field has the longest value that it can have. */
const NEW = newRunValue(aRun({ runId: "r".repeat(64), source: { kind: "relay", host: `${"h".repeat(253)}:65535` } }));
const WORST: RunItem = {
  ...runPart(NEW),
  name: "n".repeat(40),
  paceId: "p".repeat(64),
  generation: 999_999,
  reason: patchOf({ reason: "ä".repeat(5000) }).reason ?? null,
  sources: {
    relayUrl: "environment",
    days: "default",
    collections: "profile",
    dids: "flag",
    verify: "event",
  },
  start: { kind: "seq", seq: Number.MAX_SAFE_INTEGER },
  end: { kind: "time", timeMs: WIDE.ordinal },
  createdAtMs: WIDE.ordinal,
  finishedAtMs: WIDE.ordinal,
  pausedMs: WIDE.ordinal,
  pausedSinceMs: WIDE.ordinal,
  startPosition: WIDE,
  readerCursor: WIDE,
  appliedCursor: WIDE,
  target: WIDE,
  // The longest state that a relay's reader writes. Its content cannot be compressed.
  sourceState: JSON.stringify([false, false, 3, Buffer.from(noise(99, 412)).toString("base64")]),
  sourceMoved: true,
  progress: {
    known: 99_999_999,
    done: 99_999_999,
    inWork: 16,
    deferred: 10_000,
    failed: 99_999_999,
    isComplete: false,
  },
  keptSinceMs: WIDE.ordinal,
  registered: 9_999_999_999,
  appliedWindow: 9_999_999_998,
  totals: {
    received: WIDE.ordinal,
    processed: WIDE.ordinal,
    stale: WIDE.ordinal,
    dead: WIDE.ordinal,
    deadReasons: Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [`${String(index).padStart(2, "0")}${"x".repeat(18)}`, WIDE.ordinal]),
    ),
    skipped: Object.fromEntries(
      Array.from({ length: 5 }, (_, index) => [`${String(index).padStart(2, "0")}${"x".repeat(22)}`, WIDE.ordinal]),
    ),
  },
  lastFinishedAtMs: WIDE.ordinal,
  database: { id: "0".repeat(36), name: "n".repeat(60) },
  lease: { owner: "o".repeat(64), expiresAtMs: WIDE.ordinal },
  fence: 9_999_999_999,
  lastTick: { atMs: WIDE.ordinal, durationMs: 900_000, endedBecause: "e".repeat(60), failingSinceMs: WIDE.ordinal },
  queueEmptySinceMs: WIDE.ordinal,
  quiet: { sinceMs: WIDE.ordinal, ledger: "l".repeat(60) },
  nextTickAtMs: WIDE.ordinal,
};

/** The same, of a pace. */
const WORST_PACE: Pace = {
  paceId: "p".repeat(64),
  profile: "background",
  throttle: {
    batchSize: 1000,
    batchDelayMs: 600_000,
    maxConcurrent: 100,
    maxMemoryMb: 10_240,
    useIdle: false,
    dbPoolSize: 50,
    memoryCheckInterval: 1_000_000,
  },
  sources: {
    profile: "environment",
    batchSize: "default",
    batchDelayMs: "profile",
    maxConcurrent: "flag",
    maxMemoryMb: "event",
    useIdle: "run",
    dbPoolSize: "tune",
    memoryCheckInterval: "off-peak",
  },
  offPeak: {
    profile: "background",
    own: { profile: "background", batchSize: 1000, batchDelayMs: 600_000, maxConcurrent: 100 },
    ownSources: { profile: "environment", batchSize: "default", batchDelayMs: "profile", maxConcurrent: "tune" },
  },
  seen: {
    profile: "background",
    throttle: {
      batchSize: 1000,
      batchDelayMs: 600_000,
      maxConcurrent: 100,
      maxMemoryMb: 10_240,
      useIdle: false,
      dbPoolSize: 50,
      memoryCheckInterval: 1_000_000,
    },
    scopeHash: "x".repeat(12),
  },
  plannedDueMs: WIDE.ordinal,
  paceVersion: WIDE.ordinal,
  backOff: 16,
  backOffAtMs: WIDE.ordinal,
  backOffReason: "throttle query".padEnd(120, "x"),
  waiting: { for: "w".repeat(120), sinceMs: WIDE.ordinal },
  memoryPauses: WIDE.ordinal,
  lastMemoryPauseAtMs: WIDE.ordinal,
  tunes: Array.from({ length: 5 }, (_, index) => ({
    atMs: NOW + index,
    by: "off-peak" as const,
    changes: { [noise(index, 40)]: { from: noise(index + 10, 40), to: noise(index + 20, 20) } },
  })),
};

/** The attributes that the store keeps beside those of RunItem and Pace. */
const INTERNAL = {
  ...Object.fromEntries(["statusMark", "epochMark", "foldMark", "createMark"].map((mark) => [mark, "x".repeat(8)])),
  epochEnds: JSON.stringify(Array.from({ length: 8 }, () => 9_999_999_999)),
  v: 2,
  renewsPace: WIDE.ordinal,
  correctionSeq: WIDE.ordinal,
  correctionMark: "000001#0000000001#0000000001#0000001",
};

const PACE_INTERNAL = { tuneMark: "x".repeat(8), reserveMark: "x".repeat(8), begunFor: "r".repeat(64), v: 2 };

describe("the run item", () => {
  test("reads back as it was written, every field", () => {
    expect(readRunItem(itemOf(attributesOf(WORST)))).toEqual(WORST);
    for (const status of RUN_STATUSES)
      expect(readRunItem(itemOf(attributesOf({ ...WORST, status }))).status).toBe(status);
    const bare = runPart(newRunValue(aRun({ start: { kind: "live" }, end: { kind: "seq", seq: 3 }, sources: {} })));
    expect(readRunItem(itemOf(attributesOf(bare)))).toEqual(bare);
  });

  test("has every field of a run that is not of its pace", () => {
    expectEach(WORST, attributesOf);
    expect(Object.keys({ ...WORST, ...WORST_PACE }).sort()).toEqual(Object.keys(NEW).sort());
  });

  test("is under 3 KB when every field is as long as it can be", () => {
    const size = itemSize({ ...itemOf(attributesOf(WORST)), ...INTERNAL }, runKey(RUN.padEnd(64)));
    expect(size).toBeLessThan(MAX_RUN_BYTES);
    expect(size).toBeGreaterThan(2000);
  });

  test.each([
    ["DIDs and keys as they are", stateOfRepos(22), 900],
    ["texts that do not compress", stateOfRepos(0), MAX_DEFLATED_STATE_BYTES - 20],
  ])(
    "issue 15.6: is under 4 KB, which one read unit takes, also with the largest state of a run over repositories: %s",
    (_name, text, leastBytes) => {
      let sourceState = text.slice(0, MAX_SOURCE_TEXT_BYTES);
      while (deflateRawSync(sourceState).length > MAX_DEFLATED_STATE_BYTES) sourceState = sourceState.slice(0, -1);
      expect(deflateRawSync(sourceState).length).toBeGreaterThan(leastBytes);
      const attributes = attributesOf({ ...WORST, source: { kind: "repos", host: WORST.source.host }, sourceState });
      const size = itemSize({ ...itemOf(attributes), ...INTERNAL }, runKey(RUN.padEnd(64)));
      expect(size).toBeLessThan(4_096);
      expect(size).toBeGreaterThan(3_072);
    },
  );

  test("is no larger after 100,000 batches", async () => {
    const store = createMemoryStore();
    const { lease } = await leased(store);
    const sizeOf = async () => itemSize(itemOf(attributesOf(await theRun(store))), runKey(RUN));
    let early = 0;
    for (let number = 1; number <= 1000; number += 1) {
      const window = await register(store, lease, {
        number,
        batches: 100,
        events: 500,
        received: 600,
        skipped: { did: 60, [`reason ${number}`]: 40 },
      });
      for (let batch = 0; batch < 100; batch += 1)
        await store.finish(
          keyOf(window, batch),
          "applied",
          { applied: 5, stale: 0, dead: 0 },
          { nowMs: NOW, redriven: false },
        );
      await advanceAll(store, lease);
      await store.sweep(await theRun(store));
      if (number === 20) early = await sizeOf();
    }
    const run = await theRun(store);
    expect(run).toMatchObject({ appliedWindow: 1000, totals: { received: 600_000, processed: 500_000, dead: 0 } });
    expect((await sizeOf()) - early).toBeLessThan(40);
    expect(await sizeOf()).toBeLessThan(MAX_RUN_BYTES / 2);
  });

  test("that is damaged is not read", () => {
    const item = itemOf(attributesOf(newRunValue(aRun())));
    for (const damage of [{ status: "dreaming" }, { sources: "{" }, { registered: "1" }])
      expect(() => readRunItem({ ...item, ...damage })).toThrow(expect.objectContaining({ name: "BrokenStateError" }));
  });
});

describe("the pace item", () => {
  test("reads back as it was written, every field", () => {
    expect(readPace(itemOf(paceAttributes(WORST_PACE)), WORST_PACE.paceId)).toEqual(WORST_PACE);
    const bare = pacePart(newRunValue(aRun({ sources: {} })));
    expect(readPace(itemOf(paceAttributes(bare)), bare.paceId)).toEqual(bare);
  });

  test("has every field of a pace but its id, which is its key", () => {
    const { paceId: _key, ...fields } = WORST_PACE;
    expectEach<Partial<Pace>>(fields, paceAttributes);
  });

  test("is under 2 KB when every field is as long as it can be", () => {
    const size = itemSize({ ...itemOf(paceAttributes(WORST_PACE)), ...PACE_INTERNAL }, paceKey(WORST_PACE.paceId));
    expect(size).toBeLessThan(MAX_PACE_BYTES);
    expect(size).toBeGreaterThan(1200);
  });

  test("that is damaged is not read", () => {
    const item = itemOf(paceAttributes(newRunValue(aRun())));
    for (const damage of [{ throttle: "{" }, { tunes: new Uint8Array(3) }, { plannedDueMs: "1" }, { profile: "none" }])
      expect(() => readPace({ ...item, ...damage }, "p")).toThrow(
        expect.objectContaining({ name: "BrokenStateError" }),
      );
  });
});

/** If any field is missing, fewer attributes are written. */
function expectEach<T extends object>(whole: T, attributesFor: (part: Partial<T>) => object): void {
  const all = Object.keys(attributesFor(whole)).length;
  for (const field of Object.keys(whole)) {
    const others: Partial<T> = { ...whole, [field]: undefined };
    expect([field, Object.keys(attributesFor(others)).length < all]).toEqual([field, true]);
  }
  expect(Object.values(whole)).not.toContain(null);
}

function runPart(run: Run): RunItem {
  return readRunItem(itemOf(attributesOf(run)));
}

function pacePart(run: Run): Pace {
  return readPace(itemOf(paceAttributes(run)), run.paceId);
}

/** The size as DynamoDB counts it: names and values in UTF-8, numbers by their digits, containers with 3 bytes and 1 byte for each element. */
function itemSize(item: Item, key: Key): number {
  return fieldsSize(toAttributes({ ...item, ...key }));
}

function fieldsSize(fields: Readonly<Record<string, AttributeValue>>): number {
  return Object.entries(fields).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value), 0);
}

function valueSize(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return Math.ceil(value.N.replace(/[^0-9]/g, "").length / 2) + 2;
  if (value.B !== undefined) return value.B.byteLength;
  if (value.M !== undefined) return 3 + fieldsSize(value.M) + Object.keys(value.M).length;
  return 1;
}

/** A text that does not compress. */
function noise(seed: number, length: number): string {
  let state = (seed + 1) * 7919;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return String.fromCharCode(33 + ((state >>> 25) % 94));
  }).join("");
}
