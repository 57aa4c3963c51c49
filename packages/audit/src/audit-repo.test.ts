import type { Clock } from "@firehose-backfill/core/clock";
import { cidToText } from "@firehose-backfill/core/cid";
import { createRepoClient } from "@firehose-backfill/repos/xrpc/repo-client";
import type { CopyEntry, CopyReader } from "@firehose-backfill/sink/copy-reader";
import { SinkError } from "@firehose-backfill/sink/sink-error";
import { testClient } from "@firehose-backfill/testing/repos/clients";
import { type FakePds, startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { ALICE, makeRepo, manyRecords, type TestRepo, tidOf } from "@firehose-backfill/testing/repos/test-repo";
import fc from "fast-check";
import { expect, it } from "vitest";
import { auditRepo } from "./audit-repo.ts";
import { createReadPace } from "./read-pace.ts";

const OLD_MS = 1_700_000_000_000;
const NOW_MS = OLD_MS + 86_400_000;
const COLLECTIONS = ["a.b.c", "a.b.d"];
const old = makeRepo(manyRecords(60, COLLECTIONS), { rev: tidOf(OLD_MS) });

const rowsOf = (repo: TestRepo): CopyEntry[] =>
  repo.records.map(({ key, cid }) => ({ path: key, cid: cidToText(cid), rev: repo.rev }));
const later = (records: Record<string, unknown>, rev: string) => makeRepo(records, { rev, signer: old.signer });

interface World {
  readonly pds: FakePds;
  rows: readonly CopyEntry[];
  rev: string | null;
  /** Before each look at the copy, counted from 1. */
  beforeLook: (look: number) => void;
  health: () => "well" | "unwell";
  looks: number;
}

/** One audit of Alice's repository. Time passes by itself when it is slept. */
async function audit(served: TestRepo, arrange: (world: World) => void, collections: readonly string[] = []) {
  await using pds = await startFakePds([served]);
  const world: World = {
    pds,
    rows: rowsOf(served),
    rev: served.rev,
    beforeLook: () => undefined,
    health: () => "well",
    looks: 0,
  };
  arrange(world);
  let nowMs = NOW_MS;
  const slept: number[] = [];
  const clock: Clock = {
    now: () => nowMs,
    sleep: async (ms) => {
      slept.push(ms);
      nowMs += ms;
    },
  };
  const health: CopyReader["health"] = async () =>
    world.health() === "well" ? { kind: "healthy" } : { kind: "unhealthy", because: "throttle query: 3 > 0" };
  const copy: CopyReader = {
    health,
    repos: async () => [],
    countRepos: async () => ({ count: 1, isExact: true }),
    sampleRepos: async () => [],
    look: async (_did, use) => {
      world.looks += 1;
      world.beforeLook(world.looks);
      const rows = world.rows.toSorted((left, right) => (left.path < right.path ? -1 : 1));
      return await use({
        rev: world.rev,
        async *entries({ above, below }) {
          const between = rows.filter(({ path }) => path > above && path < below);
          for (let at = 0; at < between.length; at += 10) yield between.slice(at, at + 10);
        },
      });
    },
    [Symbol.asyncDispose]: async () => {},
  };
  using client = testClient();
  const waits: string[] = [];
  const pace = createReadPace({ clock, health, rowsPerSecond: 1_000, onWaiting: (because) => waits.push(because) });
  const deps = {
    clock,
    copy,
    pace,
    collections,
    repos: createRepoClient(client),
    earlierKeys: async () => [],
    resolveDid: async () => ({ key: served.signer.key, pds: pds.origin, handle: null }),
  };
  const audited = await auditRepo(ALICE, deps, new AbortController().signal);
  return { audited, verdict: audited?.verdict, looks: world.looks, waits, slept, asked: pds.asked };
}

it("issue 16.4: an equal repository costs one request and one look at the copy", async () => {
  const { audited, looks, asked, slept } = await audit(old, () => undefined);
  expect(audited).toMatchObject({ verdict: { verdict: "equal", rev: old.rev, copyRev: old.rev }, mayHelp: false });
  expect([looks, asked.length]).toEqual([1, 1]);
  // 60 rows at 1,000 a second.
  expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(40);
});

it("issue 16.4: what was written between the commit and the rows is no difference", async () => {
  const records = manyRecords(60, COLLECTIONS);
  const [first = ""] = Object.keys(records);
  const now = later({ ...records, [first]: { updated: true }, "a.b.c/new": {} }, tidOf(NOW_MS));
  const { verdict, looks } = await audit(old, (world) => {
    // The copy is ahead of the commit that was fetched; then the host gives the newer one.
    world.rows = rowsOf(old).map(
      (row) => rowsOf(now).find(({ path, cid }) => path === row.path && cid !== row.cid) ?? row,
    );
    world.rows = [...world.rows, ...rowsOf(now).filter(({ path }) => path === "a.b.c/new")];
    world.rev = now.rev;
    world.beforeLook = () => world.pds.repos.set(ALICE, now);
  });
  expect(verdict).toMatchObject({ verdict: "equal", rev: now.rev });
  expect(looks).toBe(2);
});

it("issue 16.4: rows on their way are waited for once", async () => {
  const now = later(manyRecords(70, COLLECTIONS), tidOf(NOW_MS - 1_000));
  const { verdict, looks, slept } = await audit(now, (world) => {
    world.rows = rowsOf(old);
    world.rev = old.rev;
    world.beforeLook = (look) => {
      if (look === 1) return;
      world.rows = rowsOf(now);
      world.rev = now.rev;
    };
  });
  expect(verdict).toMatchObject({ verdict: "equal" });
  expect(looks).toBe(2);
  expect(slept).toContain(5_000);
});

it("issue 16.4: a repository that nobody writes to is not looked at twice", async () => {
  const { verdict, looks } = await audit(old, (world) => {
    world.rows = rowsOf(old).slice(1);
  });
  expect(verdict).toMatchObject({ verdict: "differing", missing: [old.records[0]?.key] });
  expect(looks).toBe(1);
});

it("issue 16.4: a host that has gone back to an older commit is found: the copy is newer than what it signs", async () => {
  const { verdict, looks } = await audit(old, (world) => {
    world.rows = [...rowsOf(old), { path: "a.b.c/new", cid: cidToText(old.data), rev: tidOf(OLD_MS + 5) }];
    world.rev = tidOf(OLD_MS + 5);
  });
  expect(verdict).toMatchObject({ verdict: "differing", extra: ["a.b.c/new"] });
  expect(verdict?.reason).toContain("backup");
  expect(looks).toBe(2);
});

it("issue 16.4: the commit moves on while its nodes are fetched", async () => {
  const now = later(manyRecords(80, COLLECTIONS), tidOf(OLD_MS + 60_000));
  const { verdict } = await audit(old, (world) => {
    world.rows = rowsOf(now).slice(1);
    world.rev = now.rev;
    world.beforeLook = () => world.pds.repos.set(ALICE, now);
  });
  expect(verdict).toMatchObject({ verdict: "differing", rev: now.rev, missing: [now.records[0]?.key] });
});

it("issue 16.4: while production is not well nothing is read, and what was begun is begun again", async () => {
  let asked = 0;
  const { verdict, looks, waits } = await audit(old, (world) => {
    world.health = () => ([1, 2, 5, 6].includes(++asked) ? "unwell" : "well");
  });
  expect(verdict).toMatchObject({ verdict: "equal" });
  expect(looks).toBe(2);
  expect(waits).toEqual(["throttle query: 3 > 0", "throttle query: 3 > 0"]);
});

it("a repository whose rows are interrupted again and again is left for later", async () => {
  let asked = 0;
  const { audited, looks } = await audit(old, (world) => {
    world.health = () => (++asked % 2 === 0 ? "unwell" : "well");
  });
  expect(audited).toMatchObject({ verdict: { verdict: "unreachable" }, mayHelp: true });
  expect(looks).toBe(5);
});

it("a commit that is not signed with the account's key proves nothing", async () => {
  const forged = makeRepo(manyRecords(60, COLLECTIONS), { rev: old.rev });
  const { audited } = await audit(old, (world) => void world.pds.repos.set(ALICE, forged));
  expect(audited).toMatchObject({ verdict: { verdict: "unreachable", rev: null }, mayHelp: false });
  expect(audited?.verdict.reason).toContain("not signed");
});

it("trouble of the database is nobody's verdict", async () => {
  const failing = audit(old, (world) => {
    world.beforeLook = () => {
      throw new SinkError("the database is away", "service");
    };
  });
  await expect(failing).rejects.toBeInstanceOf(SinkError);
});

it("a repository that is not in the copy is behind, and all of it is missing", async () => {
  const { verdict } = await audit(old, (world) => {
    world.rows = [];
    world.rev = null;
  });
  expect(verdict).toMatchObject({ verdict: "behind", copyRev: null });
  expect(verdict?.missing).toHaveLength(60);
});

interface Moment {
  readonly repo: TestRepo;
  /** What a run has applied up to this commit: each row with the revision that changed it last, deleted ones as tombstones. */
  readonly rows: readonly CopyEntry[];
}

/** A repository that is written to: one record a commit. */
function historyOf(writes: readonly { readonly key: string; readonly isDelete: boolean }[]): readonly Moment[] {
  const records = manyRecords(30, COLLECTIONS);
  const rows = new Map(rowsOf(later(records, tidOf(NOW_MS))).map((row) => [row.path, row]));
  const moments: Moment[] = [{ repo: later(records, tidOf(NOW_MS)), rows: [...rows.values()] }];
  for (const [index, { key, isDelete }] of writes.entries()) {
    if (isDelete) delete records[key];
    else records[key] = { written: index };
    const repo = later({ ...records }, tidOf(NOW_MS + index + 1));
    const cid = repo.records.find((record) => record.key === key)?.cid;
    rows.set(key, { path: key, cid: cid === undefined ? null : cidToText(cid), rev: repo.rev });
    moments.push({ repo, rows: [...rows.values()] });
  }
  return moments;
}

it(
  "issue 16.4: however a repository is written to and applied while it is audited, a right copy never differs",
  { timeout: 120_000 },
  async () => {
    const known = Object.keys(manyRecords(30, COLLECTIONS));
    const key = fc.oneof(
      fc.constantFrom(...known),
      fc.nat(9).map((index) => `a.b.c/new${index}`),
    );
    const step = fc.record({ written: fc.nat(2), applied: fc.nat(4) });
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ key, isDelete: fc.boolean() }), { minLength: 3, maxLength: 12 }),
        fc.array(step, { maxLength: 8 }),
        fc.nat(3),
        async (writes, steps, begunAt) => {
          const history = historyOf(writes);
          let pdsAt = begunAt;
          let copyAt = 0;
          let next = 0;
          const { verdict } = await audit(history[pdsAt]?.repo ?? old, (world) => {
            const show = () => {
              const { repo } = history[pdsAt] ?? { repo: old };
              const { rows, repo: copied } = history[copyAt] ?? { rows: [], repo: old };
              world.pds.repos.set(ALICE, repo);
              Object.assign(world, { rows, rev: copied.rev });
            };
            show();
            for (const { repo } of history) world.pds.earlier.set(`${ALICE} ${repo.rev}`, repo);
            // Between the commit and the rows the account writes, and a run applies some of it; never what is not written yet.
            world.beforeLook = () => {
              const { written, applied } = steps[next++] ?? { written: 0, applied: 0 };
              pdsAt = Math.min(history.length - 1, pdsAt + written);
              copyAt = Math.min(pdsAt, copyAt + applied);
              show();
            };
          });
          const word = verdict?.verdict ?? "none";
          seen.set(word, (seen.get(word) ?? 0) + 1);
          expect(["equal", "behind"]).toContain(word);
        },
      ),
      { numRuns: 30, seed: 1642 },
    );
    expect(seen.get("equal") ?? 0).toBeGreaterThan(2);
    expect(seen.get("behind") ?? 0).toBeGreaterThan(2);
  },
);
