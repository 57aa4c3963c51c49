/** A row of the copy as it is compared with a repository at one signed commit. */
import { cidFromText } from "@firehose-backfill/core/cid";
import { MAX_PATH_LENGTH, scanPathPart } from "@firehose-backfill/repos/tree/record-path";
import type { CopyEntry } from "@firehose-backfill/sink/copy-reader";

export interface Entry {
  /** `collection/rkey`. */
  readonly key: string;
  /** null: the record is deleted. */
  readonly cid: Uint8Array | null;
  /** Written after the commit that it is compared with: whether it is right cannot be seen there. */
  readonly isNewer: boolean;
}

/** A CID that no block has: it equals nothing. For a row whose own is none. */
export const NO_CID = new Uint8Array(36);

/**
 * null: a deleted record, deleted before the commit; for the comparison there is no such row.
 * @param newerThan rows above this revision are not judged; null: all are
 */
export function entryOf({ path, cid, rev }: CopyEntry, newerThan: string | null): Entry | null {
  const isNewer = newerThan !== null && rev > newerThan;
  if (cid === null) return isNewer ? { key: path, cid: null, isNewer } : null;
  return { key: path, cid: cidFromText(cid) ?? NO_CID, isNewer };
}

/** Whether a tree could hold the key. */
export function canStandInTree(key: string): boolean {
  const bytes = Buffer.from(key, "utf8");
  if (bytes.length > MAX_PATH_LENGTH || bytes.length !== key.length) return false;
  const slash = scanPathPart(bytes, 0, bytes.length, 0, -1);
  return slash > 0 && slash < bytes.length - 1;
}
