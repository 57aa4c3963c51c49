/**
 * The change feed returns what changed since a token and misses nothing. Each row of `records` has the id of the transaction
 * that wrote it, and a token is a snapshot: it says which transactions were finished when it was made. The changes between two
 * tokens are those of transactions that are finished in the later one and not in the earlier one, however long they were open
 * and in whatever order they committed. docs/views.md says how to use it; decision 30 gives the reasons.
 */

/** The id of this transaction. It is a bigint, because BRIN has no operators for xid8. It never wraps around. */
export const THIS_TRANSACTION = "pg_current_xact_id()::text::bigint";

/**
 * `xid` is null in rows from before the feed. No rewrite: the column comes without a default, the default after it.
 * Of a repo: `xid` for its status and handle, `purged_xid` for the removal of its rows.
 */
const COLUMNS = [
  "ALTER TABLE firehose.records ADD COLUMN xid bigint",
  `ALTER TABLE firehose.records ALTER COLUMN xid SET DEFAULT ${THIS_TRANSACTION}`,
  "ALTER TABLE firehose.repos ADD COLUMN xid bigint, ADD COLUMN purged_xid bigint",
];

/** Creating these indexes reads the table once. */
export const FEED_INDEXES = [
  { name: "records_xid", table: "firehose.records", of: "(xid)" },
  { name: "repos_xid", table: "firehose.repos", of: "(xid, purged_xid)" },
].map((index) => ({ ...index, of: `USING brin ${index.of} WITH (pages_per_range = 32, autosummarize = on)` }));

/**
 * The migration holds the tables until it commits, and whoever reads them waits. So it leaves out the indexes of a table for
 * which that would be long: `doctor --fix` makes them while everybody goes on. Without them the feed reads the whole table.
 */
const LARGE_BYTES = 1024 ** 3;

const INDEXES_OF_SMALL_TABLES = FEED_INDEXES.map(
  ({ name, table, of }) => `
    DO $do$ BEGIN
      IF pg_table_size('${table}') < ${LARGE_BYTES} THEN CREATE INDEX ${name} ON ${table} ${of}; END IF;
    END $do$`,
);

/** `tombstones_gone`: the newest transaction that wrote a tombstone which is removed. A token from before it has missed it. */
const TABLE = [
  `CREATE TABLE firehose.change_feed (
     is_only boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (is_only),
     tombstones_gone bigint
   )`,
  "INSERT INTO firehose.change_feed DEFAULT VALUES",
];

/**
 * Whoever may read or write `records` may do the same with what is new here, so that an upgrade asks nobody for a new
 * grant. Rights of the owner need no grant.
 */
export function grantsAsOf(table: string, onto: string, privileges: readonly string[]): string {
  const wanted = privileges.map((privilege) => `'${privilege}'`).join(", ");
  return `
    DO $do$
    DECLARE held record;
    BEGIN
      FOR held IN
        SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS role, a.privilege_type
        FROM pg_class AS c, aclexplode(c.relacl) AS a
        WHERE c.oid = '${table}'::regclass AND a.grantee <> c.relowner AND a.privilege_type IN (${wanted})
      LOOP
        EXECUTE format('GRANT %s ON ${onto} TO %s', held.privilege_type, held.role);
      END LOOP;
    END $do$`;
}

/**
 * A token belongs to one history of the database. Transaction ids begin again in a cluster into which a dump was restored, and
 * go back if an older backup was restored or a standby took over. If the host does not tell its history, the other parts
 * identify it.
 */
const FEED_ID = `
  CREATE FUNCTION firehose.feed_id() RETURNS text LANGUAGE plpgsql STABLE
  AS $$
  DECLARE
    cluster text := '';
    history text := '';
  BEGIN
    BEGIN
      cluster := (SELECT system_identifier FROM pg_control_system());
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    BEGIN
      history := left(pg_walfile_name(pg_current_wal_lsn()), 8);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    RETURN left(md5(concat_ws(' ', cluster, history,
      (SELECT oid FROM pg_database WHERE datname = current_database()),
      (SELECT database_id FROM firehose.schema_version WHERE version = 1))), 12);
  END $$`;

/** A standby's snapshots do not list the transactions in progress: a token of one would miss them. */
const CHANGE_TOKEN = `
  CREATE FUNCTION firehose.change_token() RETURNS text LANGUAGE plpgsql STABLE
  AS $$
  BEGIN
    IF pg_is_in_recovery() THEN
      RAISE EXCEPTION 'a standby cannot tell what changed: ask the primary' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN firehose.feed_id() || ':' || pg_current_snapshot();
  END $$`;

/** It reads in the snapshot of the query that calls it, so that no tombstone can be removed between the check and the read. */
const TOKEN_SNAPSHOT = `
  CREATE FUNCTION firehose.token_snapshot(token text) RETURNS pg_snapshot LANGUAGE plpgsql STABLE
  AS $$
  DECLARE
    anew constant text := 'copy everything again (events --since start, or take firehose.change_token() and then read the tables)';
    found pg_snapshot;
    gone xid8 := (SELECT f.tombstones_gone::text::xid8 FROM firehose.change_feed AS f);
  BEGIN
    IF token IS NULL OR token !~ '^[0-9a-f]{12}:[0-9]{1,19}:[0-9]{1,19}:([0-9]{1,19}(,[0-9]{1,19})*)?$' THEN
      RAISE EXCEPTION 'this is no token of the change feed: %; take one from firehose.change_token()',
        coalesce(left(token, 100), 'null') USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF left(token, 12) <> firehose.feed_id() THEN
      RAISE EXCEPTION 'the token is of another database, or from before this one was restored, upgraded or failed over: %', anew
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
    found := substr(token, 14)::pg_snapshot;
    IF pg_snapshot_xmax(found) > pg_snapshot_xmax(pg_current_snapshot()) THEN
      RAISE EXCEPTION 'the token is from the future of this database, so an older state of it was restored: %', anew
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT pg_visible_in_snapshot(gone, found) OR EXISTS (
      SELECT FROM pg_snapshot_xip(found) AS open(xid)
      WHERE open.xid <= gone AND pg_visible_in_snapshot(open.xid, pg_current_snapshot()))
    THEN
      RAISE EXCEPTION 'the token is too old, because deletions that came after it are no longer kept: %', anew
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN found;
  END $$`;

const XMAX_OF = (token: string) => `(SELECT pg_snapshot_xmax(firehose.token_snapshot(${token}))::text::bigint)`;
const OPEN_IN = (token: string) => `ARRAY(SELECT pg_snapshot_xip(firehose.token_snapshot(${token}))::text::bigint)`;

/**
 * Written by a transaction that `until` has finished and `since` has not. Each subquery is asked once, not once a row. What was
 * open is looked up by its number: a range from the oldest of them would be as long as that transaction.
 */
function isBetween(xid: string): string {
  return `(${xid} >= ${XMAX_OF("since")} OR ${xid} = ANY (${OPEN_IN("since")}))
    AND ${xid} < ${XMAX_OF("until")}
    AND ${xid} <> ALL (${OPEN_IN("until")})`;
}

/** The planner inlines both functions, so that conditions on their results can use the index. */
const CHANGES = `
  CREATE FUNCTION firehose.changes(since text, until text)
  RETURNS TABLE (uri text, did text, collection text, rkey text, cid text, rev text, seq bigint, record jsonb,
    indexed_at timestamptz, is_deleted boolean, xid bigint)
  LANGUAGE sql STABLE ROWS 1000
  AS $$
    SELECT 'at://' || r.did || '/' || r.collection || '/' || r.rkey, r.did, r.collection, r.rkey, r.cid, r.rev, r.seq,
      r.record, r.indexed_at, r.cid IS NULL, r.xid
    FROM firehose.records AS r
    WHERE ${isBetween("r.xid")}
  $$`;

const ACCOUNT_CHANGES = `
  CREATE FUNCTION firehose.account_changes(since text, until text)
  RETURNS TABLE (did text, is_purged boolean, active boolean, status text, handle text, xid bigint)
  LANGUAGE sql STABLE ROWS 100
  AS $$
    SELECT p.did, true, p.active, p.status, p.handle, p.purged_xid
    FROM firehose.repos AS p WHERE ${isBetween("p.purged_xid")}
    UNION ALL
    SELECT p.did, false, p.active, p.status, p.handle, p.xid
    FROM firehose.repos AS p WHERE ${isBetween("p.xid")}
  $$`;

/** Off by default. If a transaction sends the same notification twice, Postgres delivers it once, so each batch gives one notification. */
const NOTIFY_CHANGES = [
  `CREATE FUNCTION firehose.notify_of_batch() RETURNS trigger LANGUAGE plpgsql
   AS $$ BEGIN PERFORM pg_notify('firehose_changes', ''); RETURN NULL; END $$`,
  `CREATE FUNCTION firehose.notify_changes(wanted boolean) RETURNS void LANGUAGE plpgsql
   AS $$
   BEGIN
     DROP TRIGGER IF EXISTS notify_of_batch ON firehose.records;
     DROP TRIGGER IF EXISTS notify_of_batch ON firehose.repos;
     IF wanted THEN
       CREATE TRIGGER notify_of_batch AFTER INSERT OR UPDATE OR DELETE ON firehose.records
         FOR EACH STATEMENT EXECUTE FUNCTION firehose.notify_of_batch();
       CREATE TRIGGER notify_of_batch AFTER INSERT OR UPDATE ON firehose.repos
         FOR EACH STATEMENT EXECUTE FUNCTION firehose.notify_of_batch();
     END IF;
   END $$`,
];

export const CHANGE_FEED: readonly string[] = [
  ...COLUMNS,
  ...INDEXES_OF_SMALL_TABLES,
  ...TABLE,
  grantsAsOf("firehose.records", "firehose.change_feed", ["SELECT", "UPDATE"]),
  FEED_ID,
  CHANGE_TOKEN,
  TOKEN_SNAPSHOT,
  CHANGES,
  ACCOUNT_CHANGES,
  ...NOTIFY_CHANGES,
];
