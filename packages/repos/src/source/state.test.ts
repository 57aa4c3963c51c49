import { deflateRawSync } from "node:zlib";
import { MAX_DEFLATED_STATE_BYTES, MAX_SOURCE_TEXT_BYTES } from "@firehose-backfill/source/cursor";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  fits,
  hasRoomFor,
  MAX_IN_WORK,
  newRepo,
  newState,
  progressOf,
  readState,
  type ReposState,
  writeState,
} from "./state.ts";

const key = fc.stringMatching(/^[a-z.]{1,60}\/[a-zA-Z0-9-]{1,900}$/);
const repo = fc.record({
  did: fc.stringMatching(/^did:plc:[a-z2-7]{24}$/),
  after: fc.option(key),
  attempts: fc.nat(20),
  isWalkOnly: fc.boolean(),
  records: fc.nat(),
  estimated: fc.nat(),
});
const state: fc.Arbitrary<ReposState> = fc.record({
  inWork: fc.array(repo, { maxLength: 20 }),
  list: fc.option(fc.record({ cursor: fc.option(fc.string({ maxLength: 1_000 })), taken: fc.nat(10_000) })),
  known: fc.nat(),
  done: fc.nat(),
  failed: fc.nat(),
  deferred: fc.nat(),
  serial: fc.nat(),
  takenUp: fc.constantFrom("", "wait#000001795867652515#000000000001"),
});

test("a state is read as it was written", () => {
  fc.assert(
    fc.property(state, (value) => {
      expect(readState(writeState(value))).toEqual(value);
    }),
  );
  expect(() => readState("[2]")).toThrow(TypeError);
});

test("issue 15.7: a state of before counted no records of a repository", () => {
  const text = JSON.stringify([1, [null, 3], 5, 1, 0, 0, 0, "", [["did:plc:a", "a.b.c/r", 2, 1]]]);
  expect(readState(text).inWork).toEqual([
    { did: "did:plc:a", after: "a.b.c/r", attempts: 2, isWalkOnly: true, records: 0, estimated: 0 },
  ]);
});

test("issue 15.7: the progress names the repository that was begun first, with what is read of it", () => {
  const [fresh, first] = [
    newRepo("did:plc:a"),
    { ...newRepo("did:plc:b"), after: "a.b.c/r".padEnd(300, "r"), records: 7 },
  ];
  const value = { ...newState(5), inWork: [fresh, first] };
  const { current } = progressOf(value, true);
  expect(current).toMatchObject({ did: "did:plc:b", records: 7, estimated: null });
  expect(current?.key).toHaveLength(100);
  // An estimate is not below what is there.
  const counted = { ...value, inWork: [{ ...first, estimated: 5 }] };
  expect(progressOf(counted, true).current?.estimated).toBe(7);
  expect(progressOf(newState(5), true).current).toBeNull();
});

test("issue 15.2: what fits is at most 2 KB, little enough when it is deflated, and 16 repositories, whatever their keys are", () => {
  fc.assert(
    fc.property(state, (value) => {
      const text = writeState(value);
      const isShort = Buffer.byteLength(text) <= MAX_SOURCE_TEXT_BYTES;
      const isSmall = deflateRawSync(text).length <= MAX_DEFLATED_STATE_BYTES;
      expect(fits(value)).toBe(isShort && isSmall && value.inWork.length <= MAX_IN_WORK);
    }),
  );
});

test("sixteen repositories of the usual kind fit, with the keys that they will have", () => {
  let value = newState(100);
  for (let index = 0; index < 30; index++) {
    const next = newRepo(`did:plc:${String(index).padStart(24, "a")}`);
    if (hasRoomFor(value, next)) value = { ...value, inWork: [...value.inWork, next] };
  }
  expect(value.inWork).toHaveLength(MAX_IN_WORK);
});
