import type { FirehoseEvent, RangeEvent } from "@firehose-backfill/core/event";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { newStoredRun, readAll, testKit } from "@firehose-backfill/testing/repos/reading";
import { makeRepo, manyRecords, type TestRepo } from "@firehose-backfill/testing/repos/test-repo";
import { describe, expect, test } from "vitest";

const POST = "app.bsky.feed.post";
const LIKE = "app.bsky.feed.like";

const didOf = (index: number): string =>
  `did:plc:${String(index)
    .replace(/\d/g, (digit) => "abcdefghij"[Number(digit)] ?? "a")
    .padStart(24, "z")}`;

function repoOf(index: number, records: number): TestRepo {
  return makeRepo(manyRecords(records, [POST, LIKE]), { did: didOf(index) });
}

/** Everything on one host. */
async function network(repos: readonly TestRepo[]) {
  const plc = await startFakePlc();
  const pds = await startFakePds(repos);
  for (const repo of repos) plc.put(repo, pds.origin);
  return {
    plc,
    pds,
    dids: repos.map(({ did }) => did).join(","),
    async [Symbol.asyncDispose]() {
      await plc[Symbol.asyncDispose]();
      await pds[Symbol.asyncDispose]();
    },
  };
}

/** What is said of a repository. */
function contentOf(events: readonly FirehoseEvent[], did: string): { keys: string[]; ranges: RangeEvent[] } {
  const keys: string[] = [];
  const ranges: RangeEvent[] = [];
  for (const event of events) {
    if (event.did !== did) continue;
    if (event.kind === "range") ranges.push(event);
    if (event.kind === "record") keys.push(`${event.collection}/${event.rkey}`);
  }
  return { keys, ranges };
}

describe("repositories as a source", () => {
  test.each([10, 3_000])(
    "issue 15.2: a repository of %i records comes whole, in ranges that touch, and the run ends",
    async (count) => {
      const repo = repoOf(1, count);
      await using net = await network([repo]);
      const run = newStoredRun();
      const { events, windows } = await readAll(testKit({ plcUrl: net.plc.origin }), run, {
        env: { BACKFILL_DIDS: net.dids },
      });
      const { keys, ranges } = contentOf(events, repo.did);
      expect(keys).toEqual(repo.records.map(({ key }) => key));
      for (const [index, range] of ranges.entries()) if (index > 0) expect(range.from).toBe(ranges[index - 1]?.to);
      expect(ranges.reduce((sum, range) => sum + range.records, 0)).toBe(count);
      expect(Math.max(...ranges.map(({ records }) => records))).toBeLessThanOrEqual(50);
      expect(windows.at(-1)?.verdict).toEqual({ kind: "end", word: "all repositories are read" });
      expect(windows.at(-1)?.progress).toEqual({
        known: 1,
        done: 1,
        inWork: 0,
        deferred: 0,
        failed: 0,
        isComplete: true,
      });
      expect(run.cursor?.ordinal).toBe(ranges.length);
      expect(windows.reduce((sum, { received }) => sum + received, 0)).toBe(count);
    },
  );
});
