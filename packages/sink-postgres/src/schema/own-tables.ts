/**
 * Adds what users can attach to `records`, in the transaction of the batch: their own function that gets a batch's rows, and
 * counts that are kept up to date. All of it is off by default. docs/own-tables.md says how to use it and what it costs.
 */
import { QUOTED } from "./more-views.ts";

const EVENTS = [
  { event: "INSERT", tables: "NEW TABLE AS new_rows" },
  { event: "UPDATE", tables: "OLD TABLE AS old_rows NEW TABLE AS new_rows" },
  { event: "DELETE", tables: "OLD TABLE AS old_rows" },
] as const;

/**
 * The user's function gets the rows as they are now and as they were. An INSERT has no old rows and a DELETE no new ones: an
 * account was deleted, or old tombstones were removed. A transition table is visible only under its trigger's own event.
 */
const CALL_WITH_BATCH = [
  `CREATE FUNCTION firehose.call_with_batch() RETURNS trigger LANGUAGE plpgsql
   AS $$
   DECLARE
     now_rows firehose.records[] := '{}';
     was_rows firehose.records[] := '{}';
   BEGIN
     IF TG_OP <> 'DELETE' THEN now_rows := coalesce((SELECT array_agg(r) FROM new_rows AS r), '{}'); END IF;
     IF TG_OP <> 'INSERT' THEN was_rows := coalesce((SELECT array_agg(r) FROM old_rows AS r), '{}'); END IF;
     IF now_rows <> '{}' OR was_rows <> '{}' THEN
       EXECUTE format('SELECT %s($1, $2)', TG_ARGV[0]) USING now_rows, was_rows;
     END IF;
     RETURN NULL;
   END $$`,
  `CREATE FUNCTION firehose.on_batch(function_name regproc, wanted boolean DEFAULT true) RETURNS void LANGUAGE plpgsql
   AS $$
   DECLARE
     trigger_name text;
     event text;
     tables text;
   BEGIN
     FOR event, tables IN VALUES ${EVENTS.map(({ event, tables }) => `('${event}', '${tables}')`).join(", ")} LOOP
       trigger_name := 'on_batch_' || left(md5(function_name::text), 8) || '_' || lower(event);
       EXECUTE format('DROP TRIGGER IF EXISTS %I ON firehose.records', trigger_name);
       IF wanted THEN
         EXECUTE format('CREATE TRIGGER %I AFTER %s ON firehose.records REFERENCING %s FOR EACH STATEMENT '
           'EXECUTE FUNCTION firehose.call_with_batch(%L)', trigger_name, event, tables, function_name::text);
       END IF;
     END LOOP;
   END $$`,
];

const when = (collection: string, value: string) => `CASE WHEN collection = 'app.bsky.${collection}' THEN ${value} END`;

/** Keys of an index have a maximum length. A longer text is not a valid address and is not counted. */
const COUNT_KEYS = `
  CREATE FUNCTION firehose.count_keys(did text, collection text, record jsonb) RETURNS TABLE (subject text, kind text)
  LANGUAGE sql IMMUTABLE ROWS 2
  AS $$
    SELECT k.subject, k.kind FROM (VALUES
      (${when("feed.like", "record #>> '{subject,uri}'")}, 'likes'),
      (${when("feed.repost", "record #>> '{subject,uri}'")}, 'reposts'),
      (${when("feed.post", "record #>> '{reply,parent,uri}'")}, 'replies'),
      (${when("feed.post", QUOTED)}, 'quotes'),
      (${when("feed.post", "did")}, 'posts'),
      (${when("graph.follow", "record->>'subject'")}, 'followers'),
      (${when("graph.follow", "did")}, 'follows')
    ) AS k(subject, kind)
    WHERE octet_length(k.subject) <= 1000
  $$`;

const KEYS_OF = (rows: string, by: string) => `
  SELECT k.subject, k.kind, ${by} AS n FROM ${rows} AS r, firehose.count_keys(r.did, r.collection, r.record) AS k
  WHERE r.cid IS NOT NULL`;

/** Rows are changed in the order of the key, so that simultaneous batches wait for each other and do not deadlock. */
const ADD = (deltas: string) => `
  INSERT INTO firehose.counts AS c (subject, kind, n)
  SELECT d.subject, d.kind, sum(d.n) FROM (${deltas}) AS d
  GROUP BY d.subject, d.kind HAVING sum(d.n) <> 0 ORDER BY d.subject COLLATE "C", d.kind
  ON CONFLICT (subject, kind) DO UPDATE SET n = c.n + excluded.n;`;

/** The functions run with the rights of their owner, so that roles that write records need no rights on the counts. */
const KEEP_COUNTS = [
  COUNT_KEYS,
  `CREATE FUNCTION firehose.count_changes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
   AS $$
   BEGIN
     IF TG_OP = 'INSERT' THEN ${ADD(KEYS_OF("new_rows", "1"))}
     ELSIF TG_OP = 'DELETE' THEN ${ADD(KEYS_OF("old_rows", "-1"))}
     ELSE ${ADD(`${KEYS_OF("new_rows", "1")} UNION ALL ${KEYS_OF("old_rows", "-1")}`)}
     END IF;
     RETURN NULL;
   END $$`,
  `CREATE FUNCTION firehose.keep_counts(wanted boolean) RETURNS void LANGUAGE plpgsql
   AS $$
   BEGIN
     -- Batches wait from here on: what they write is counted, or comes after.
     LOCK TABLE firehose.records IN SHARE ROW EXCLUSIVE MODE;
     ${EVENTS.map(({ event }) => `DROP TRIGGER IF EXISTS keep_counts_${event.toLowerCase()} ON firehose.records;`).join("\n")}
     DROP TABLE IF EXISTS firehose.counts;
     IF wanted THEN
       CREATE TABLE firehose.counts (
         subject text COLLATE "C" NOT NULL, kind text NOT NULL, n bigint NOT NULL, PRIMARY KEY (subject, kind)
       ) WITH (fillfactor = 80);
       ${ADD(KEYS_OF("firehose.records", "1"))}
       ${EVENTS.map(
         ({ event, tables }) => `CREATE TRIGGER keep_counts_${event.toLowerCase()} AFTER ${event} ON firehose.records
           REFERENCING ${tables} FOR EACH STATEMENT EXECUTE FUNCTION firehose.count_changes();`,
       ).join("\n")}
     END IF;
   END $$`,
];

export const OWN_TABLES: readonly string[] = [...CALL_WITH_BATCH, ...KEEP_COUNTS];
