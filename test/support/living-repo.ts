/** A repository that goes on being written to: each write is a commit of its own, and an event as a relay would send it. */
import { encode } from "@ipld/dag-cbor";
import { makeRepo, type TestRepo, tidOf } from "@firehose-backfill/testing/repos/test-repo";
import { commitFrame, type OpSpec } from "./make-frame.ts";
import { newSigner } from "./sign.ts";

export const COLLECTIONS = ["app.bsky.feed.post", "app.bsky.feed.like"] as const;

export interface Commit {
  readonly rev: string;
  readonly timeMs: number;
  readonly ops: readonly OpSpec[];
}

export interface LivingRepo {
  readonly did: string;
  /** As it is after the last commit. */
  now(): TestRepo;
  /** Creates, updates and deletes a record each, wherever chance wants it. */
  write(timeMs: number): Commit;
}

/** `count` records whose keys are TIDs of long ago, written at `timeMs`. */
export function livingRepo(options: {
  readonly did: string;
  readonly count: number;
  readonly timeMs: number;
  readonly random: () => number;
}): LivingRepo {
  const { did, count, random } = options;
  const signer = newSigner("k256");
  const records = new Map<string, Uint8Array>();
  let rev = tidOf(options.timeMs);
  let lastMs = options.timeMs;
  let made = 0;
  let current: TestRepo | null = null;
  const newKey = (): string => {
    made += 1;
    // Anywhere among the others: half of them lie behind the walk, half before it.
    return `${COLLECTIONS[made % 2]}/${tidOf(1_600_000_000_000 + Math.floor(random() * 1e10) + made)}`;
  };
  const newRecord = (key: string) => ({ $type: key.split("/")[0], text: `number ${made}, ${random()}` });
  for (let index = 0; index < count; index += 1) {
    const key = newKey();
    records.set(key, encode(newRecord(key)));
  }
  const anyKey = (): string | undefined => [...records.keys()][Math.floor(random() * records.size)];
  return {
    did,
    now: () => (current ??= makeRepo(Object.fromEntries(records), { did, rev, signer })),
    write(timeMs) {
      lastMs = Math.max(lastMs + 1, timeMs);
      rev = tidOf(lastMs);
      current = null;
      const created = newKey();
      const ops: OpSpec[] = [{ action: "create", path: created, record: newRecord(created) }];
      const updated = anyKey();
      if (updated !== undefined) ops.push({ action: "update", path: updated, record: newRecord(updated) });
      const deleted = anyKey();
      if (deleted !== undefined && deleted !== updated) ops.push({ action: "delete", path: deleted });
      for (const { action, path, record } of ops)
        if (action === "delete") records.delete(path);
        else records.set(path, encode(record));
      return { rev, timeMs: lastMs, ops };
    },
  };
}

/** The commits of all, in the order of their time, as a relay's frames from sequence number 1 on. */
export function framesOf(commits: readonly (Commit & { readonly did: string })[]): Uint8Array[] {
  return commits
    .toSorted((a, b) => a.timeMs - b.timeMs)
    .map(({ did, rev, ops, timeMs }, index) =>
      commitFrame({ seq: index + 1, did, rev, ops, time: new Date(timeMs).toISOString() }),
    );
}
