/**
 * The tables, as a list of steps that is only ever added to. Everything is in the schema `firehose`; nothing outside it
 * is read or changed. Postgres 15 to 18.
 */
import { HANDLES } from "./handles.ts";
import { CHANGE_FEED } from "./change-feed.ts";
import { MORE_VIEWS } from "./more-views.ts";
import { OWN_TABLES } from "./own-tables.ts";
import { VIEW_STATEMENTS } from "./views.ts";

export interface Migration {
  readonly version: number;
  readonly statements: readonly string[];
  /**
   * The oldest version of the program, by the schema that it writes, that works as before when this step is done. Left out: only
   * this version does. Set it for a step that adds what the older program need not know, such as a column that may be
   * null: then consumers of both versions work during a deploy, and a roll-back needs no older schema.
   */
  readonly usableFrom?: number;
}

/**
 * Identifiers and revisions compare byte by byte (COLLATE "C"): revisions are ordered by text, and an index must mean
 * the same after the system's collations were updated.
 * `repos` is updated by nearly every batch: room in its pages keeps those updates in place and out of its index.
 */
const FIRST: Migration = {
  version: 1,
  statements: [
    `CREATE TABLE firehose.records (
       did text COLLATE "C" NOT NULL,
       collection text COLLATE "C" NOT NULL,
       rkey text COLLATE "C" NOT NULL,
       cid text,
       rev text COLLATE "C" NOT NULL,
       seq bigint NOT NULL,
       record jsonb,
       indexed_at timestamptz NOT NULL,
       PRIMARY KEY (did, collection, rkey),
       CONSTRAINT records_tombstone CHECK ((cid IS NULL) = (record IS NULL))
     )`,
    // For removing old tombstones; a record that exists is not in it.
    `CREATE INDEX records_tombstones ON firehose.records (indexed_at) WHERE cid IS NULL`,
    `CREATE TABLE firehose.repos (
       did text COLLATE "C" NOT NULL PRIMARY KEY,
       handle text,
       handle_at timestamptz,
       handle_seq bigint,
       active boolean,
       status text,
       status_at timestamptz,
       status_seq bigint,
       purged_at timestamptz,
       purged_seq bigint,
       rev text COLLATE "C",
       updated_at timestamptz NOT NULL
     ) WITH (fillfactor = 80)`,
    // The id is a digest of run, seq, did, path and reason: a batch that is applied again writes the same rows.
    `CREATE TABLE firehose.dead_events (
       id uuid NOT NULL PRIMARY KEY,
       run_id text NOT NULL,
       seq bigint NOT NULL,
       did text,
       path text,
       reason text NOT NULL,
       error text NOT NULL,
       payload bytea NOT NULL,
       created_at timestamptz NOT NULL
     )`,
    `CREATE INDEX dead_events_run ON firehose.dead_events (run_id, seq)`,
    `CREATE VIEW firehose.live_records AS
       SELECT r.did, r.collection, r.rkey, r.cid, r.rev, r.seq, r.record, r.indexed_at
       FROM firehose.records AS r LEFT JOIN firehose.repos AS p ON p.did = r.did
       WHERE r.cid IS NOT NULL AND p.active IS DISTINCT FROM false`,
  ],
};

/**
 * Views by collection, and a BRIN index of a few kilobytes for ranges of sequence numbers and of time. Rows arrive nearly in
 * the order of both columns, so it is enough to know which pages contain a range, and writing costs very little.
 */
const SECOND: Migration = {
  version: 2,
  statements: [
    ...VIEW_STATEMENTS,
    `CREATE INDEX records_order ON firehose.records USING brin (seq, indexed_at)
       WITH (pages_per_range = 32, autosummarize = on)`,
  ],
};

/**
 * Columns for a redrive: the whole event, if the payload was one; when it was last sent to be tried again; and when, and by
 * which batch, it was applied. Existing rows are not rewritten.
 */
const THIRD: Migration = {
  version: 3,
  statements: [
    `ALTER TABLE firehose.dead_events
       ADD COLUMN event bytea,
       ADD COLUMN redriven_at timestamptz,
       ADD COLUMN applied_at timestamptz,
       ADD COLUMN applied_by text`,
  ],
};

/**
 * What tells this database from every other one: it goes with a backup, and a schema that is made anew has another. A column
 * and no table of its own, so that roles which were granted the tables need no new privilege.
 *
 * `host` is a number made from the name of the host that gave the sequence number (host-number.ts), because within one host
 * the sequence number says what came later. The `marks` hold what each host said last; null: from before they were kept.
 * Times far ahead are no reason to hide an account for ever.
 */
const FOURTH: Migration = {
  version: 4,
  statements: [
    `ALTER TABLE firehose.schema_version ADD COLUMN database_id uuid`,
    `UPDATE firehose.schema_version SET database_id = gen_random_uuid() WHERE version = 1`,
    `ALTER TABLE firehose.records ADD COLUMN host integer`,
    `ALTER TABLE firehose.repos
       ADD COLUMN status_marks jsonb,
       ADD COLUMN handle_marks jsonb,
       ADD COLUMN purge_marks jsonb`,
    ...["status", "handle", "purged"].map(
      (kind) => `UPDATE firehose.repos SET ${kind}_at = now() WHERE ${kind}_at > now() + interval '5 minutes'`,
    ),
  ],
};

/**
 * Rows from repositories have no place in a stream: no `seq`, and `host` is null, or in a deleted row the number of the run
 * that deleted it. `proved` says which of a repository's keys are known up to which revision (proved-keys.ts). Nothing that is
 * there is rewritten.
 */
const FIFTH: Migration = {
  version: 5,
  statements: [
    `ALTER TABLE firehose.records ALTER COLUMN seq DROP NOT NULL`,
    `ALTER TABLE firehose.repos ADD COLUMN proved jsonb`,
  ],
};

/** The change feed, more views, and functions for tables of the users' own. */
const SIXTH: Migration = { version: 6, statements: [...CHANGE_FEED, ...MORE_VIEWS, ...OWN_TABLES] };

/** What is known of the history of each repository (chain.ts). If nothing is missing, that is two revisions and two CIDs. */
const SEVENTH: Migration = { version: 7, statements: [`ALTER TABLE firehose.repos ADD COLUMN chain jsonb`] };

/** How the handle of an account was checked, and a view of handles. What an older program leaves in the new column does no harm (handles.ts). */
const EIGHTH: Migration = { version: 8, statements: HANDLES, usableFrom: 7 };

export const MIGRATIONS: readonly Migration[] = [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH, EIGHTH];

/** The version of the schema that this program reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;
