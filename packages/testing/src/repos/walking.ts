/** Walks over a repository in memory, and records the requested blocks. */
import { cidToText } from "@firehose-backfill/core/cid";
import { MissingBlocksError } from "@firehose-backfill/repos/errors";
import type { ProvedRange } from "@firehose-backfill/repos/walk/proved-range";
import { type FetchBlocks, type WalkOptions, walkRanges } from "@firehose-backfill/repos/walk/walk-ranges";
import type { TestRepo } from "./test-repo.ts";

export interface Asked {
  readonly requests: string[][];
  readonly fetchBlocks: FetchBlocks;
}

export function fetcherOf(blocks: ReadonlyMap<string, Uint8Array>): Asked {
  const requests: string[][] = [];
  const fetchBlocks: FetchBlocks = async (cids) => {
    const texts = cids.map(cidToText);
    requests.push(texts);
    const missing = cids.filter((cid) => !blocks.has(cidToText(cid)));
    if (missing.length > 0) throw new MissingBlocksError(missing);
    return texts.map((text) => Buffer.from(blocks.get(text) ?? []));
  };
  return { requests, fetchBlocks };
}

export function walkOptions(repo: TestRepo, fields: Partial<WalkOptions> = {}): WalkOptions {
  return {
    commit: repo,
    collections: [],
    after: null,
    sinceMs: null,
    limits: { maxRecords: 50, maxBytes: 1_000_000 },
    fetchBlocks: fetcherOf(repo.blocks).fetchBlocks,
    signal: new AbortController().signal,
    ...fields,
  };
}

export async function allRanges(options: WalkOptions): Promise<ProvedRange[]> {
  const ranges: ProvedRange[] = [];
  for await (const range of walkRanges(options)) ranges.push(range);
  return ranges;
}
