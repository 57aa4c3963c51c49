/** The audit of a sample in steps of bounded time: nothing is counted twice, nothing is forgotten, and one repository holds up no other. */
import { parseAuditNote } from "@firehose-backfill/core/audit-note";
import { cidToText } from "@firehose-backfill/core/cid";
import type { Clock } from "@firehose-backfill/core/clock";
import { createRepoClient } from "@firehose-backfill/repos/xrpc/repo-client";
import type { CopyReader } from "@firehose-backfill/sink/copy-reader";
import { testClient } from "@firehose-backfill/testing/repos/clients";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { makeRepo, manyRecords } from "@firehose-backfill/testing/repos/test-repo";
import { expect, it } from "vitest";
import { createReadPace } from "./read-pace.ts";
import { auditStep, drawSample, noteOfSample, parseSampleState, type SampleState } from "./sample-steps.ts";

const DIDS = Array.from({ length: 26 }, (_, index) => `did:plc:${String.fromCodePoint(97 + index).repeat(24)}`);
const repos = new Map(DIDS.map((did) => [did, makeRepo(manyRecords(5, ["a.b.c"]), { did })]));

/** Steps until nothing waits; each look at the copy takes a second, and `slow` ones end the step. */
async function auditIn(
  stepMs: number,
  {
    wrong = [],
    slow = [],
    away = [],
  }: { wrong?: readonly string[]; slow?: readonly string[]; away?: readonly string[] },
) {
  await using pds = await startFakePds([...repos.values()]);
  using client = testClient();
  let nowMs = 1_800_000_000_000;
  const clock: Clock = {
    now: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
  };
  const looks = new Map<string, number>();
  let step = new AbortController();
  const copy: CopyReader = {
    health: async () => ({ kind: "healthy" }),
    repos: async () => [],
    countRepos: async () => ({ count: 1_000, isExact: true }),
    sampleRepos: async (size) => DIDS.slice(0, size),
    look: async (did, use) => {
      nowMs += 1_000;
      looks.set(did, (looks.get(did) ?? 0) + 1);
      if (slow.includes(did)) step.abort();
      const { rev, records } = repos.get(did) ?? { rev: null, records: [] };
      const rows = records.slice(wrong.includes(did) ? 1 : 0);
      return await use({
        rev,
        async *entries({ above, below }) {
          const entries = rows.map(({ key, cid }) => ({ path: key, cid: cidToText(cid), rev: rev ?? "" }));
          yield entries.filter(({ path }) => path > above && path < below);
        },
      });
    },
    [Symbol.asyncDispose]: async () => {},
  };
  const deps = {
    clock,
    copy,
    collections: [],
    pace: createReadPace({ clock, health: () => copy.health(), rowsPerSecond: 1e9, onWaiting: () => undefined }),
    repos: createRepoClient(client),
    earlierKeys: async () => [],
    resolveDid: async (did: string) => {
      if (away.includes(did)) throw Object.assign(new Error("nobody answers"), { isRetryable: () => true });
      const key = repos.get(did)?.signer.key ?? null;
      return { pds: pds.origin, key, handle: null };
    },
  };
  let state: SampleState = await drawSample({ copy, random: Math.random, size: DIDS.length });
  let steps = 0;
  while (state.waiting.length > 0 && steps < 100) {
    step = new AbortController();
    // As it is after a night in the table.
    const stored = parseSampleState(JSON.parse(JSON.stringify(state)));
    if (stored === null) throw new Error("the state was not understood");
    state = await auditStep(stored, { ...deps, beginUntilMs: nowMs + stepMs, signal: step.signal });
    steps += 1;
  }
  const note = noteOfSample(state, { atMs: nowMs, by: "a run", collections: [] });
  return { note, steps, looks };
}

it("issue 16.4: a sample in one step, and in many: the same result, each repository looked at once", async () => {
  const wrong = [DIDS[3] ?? "", DIDS[20] ?? ""];
  const whole = await auditIn(1e9, { wrong });
  expect(whole).toMatchObject({ steps: 1, note: { equal: 24, differing: 2, records: { missing: 2, extra: 0 } } });
  expect(whole.note.confidence).toMatchObject({ of: 1_000, sampled: 26, differing: { found: 2 } });
  expect(whole.note.first.map(({ did }) => did).toSorted()).toEqual(wrong);
  const parts = await auditIn(3_000, { wrong });
  expect(parts.steps).toBeGreaterThan(2);
  expect({ ...parts.note, atMs: 0 }).toEqual({ ...whole.note, atMs: 0 });
  expect([...parts.looks.values()].every((count) => count === 1)).toBe(true);
});

it("issue 16.4: a repository that takes longer than a step, and one whose host is away, are given up and hold up nobody", async () => {
  const [slow = "", away = ""] = [DIDS[5], DIDS[6]];
  const { note, looks } = await auditIn(1e9, { slow: [slow], away: [away] });
  expect(note).toMatchObject({ equal: 24, unreachable: 2, confidence: { sampled: 24 } });
  expect(looks.get(slow)).toBe(3);
  const reasons = Object.fromEntries(note.first.map(({ did, reason }) => [did, reason]));
  expect(reasons[slow]).toContain("longer than a scheduled audit");
  expect(reasons[away]).toContain("nobody answers");
});

it("what is kept of it can be read back, and is of bounded size", async () => {
  const { note } = await auditIn(1e9, { wrong: DIDS });
  expect(note).toMatchObject({ equal: 0, differing: 26 });
  expect(note.first).toHaveLength(20);
  expect(parseAuditNote(JSON.parse(JSON.stringify(note)))).toEqual(note);
});
