/**
 * Handles, for joins in both directions. `repos` has the handle that was said last: by a stream, which nobody has checked, or by a look-up
 * in the DID document, whose check is beside it. A newer word of a stream removes the check, so the account is looked up again.
 *
 * A program of schema 7 does not know the check and leaves it where it is. So it counts only beside the look-up that it belongs to: a look-up
 * has the sequence number 0, and what a stream says has a greater one.
 */
import { grantsAsOf } from "./change-feed.ts";

export const HANDLES: readonly string[] = [
  `ALTER TABLE firehose.repos ADD COLUMN handle_check text`,
  `CREATE VIEW firehose.handles AS
     SELECT did, handle, coalesce(CASE WHEN handle_seq = 0 THEN handle_check END, 'unchecked') AS state,
       (handle_seq = 0 AND handle_check = 'verified') IS TRUE AS is_verified, handle_at AS known_at
     FROM firehose.repos
     WHERE handle IS NOT NULL AND active IS DISTINCT FROM false`,
  grantsAsOf("firehose.live_records", "firehose.handles", ["SELECT"]),
];

/** Accounts to look up. The index of the set `handles` has the same condition. */
export const IS_TO_BE_LOOKED_UP = "(handle_check IS NULL OR handle_seq <> 0 OR handle_check = 'unreachable')";
