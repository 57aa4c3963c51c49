/**
 * Views for queries: one for each common collection, with typed columns, over `live_records`. A record may contain anything. A
 * missing field is NULL, an invalid time is NULL, a list field without a list is NULL, and no record makes a query fail. Text
 * columns are plain expressions, so that an index on the same expression can be used.
 */

import { type ViewColumns, viewStatement } from "./view.ts";

/** Converts the times of records: ISO 8601 with a zone. Anything else is NULL, for example a 30th of February. */
const TO_TIME = `
  CREATE FUNCTION firehose.to_time(value text) RETURNS timestamptz
  LANGUAGE sql STABLE STRICT PARALLEL SAFE
  AS $$
    SELECT CASE
      WHEN value !~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}([.][0-9]{1,20})?(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9])$'
        OR value LIKE '0000%' THEN NULL
      WHEN substr(value, 9, 2)::int > extract(day FROM
        make_date(substr(value, 1, 4)::int, substr(value, 6, 2)::int, 1) + interval '1 month' - interval '1 day') THEN NULL
      ELSE value::timestamptz
    END
  $$`;

/** Returns the texts of a JSON list; NULL for anything else. */
const TO_TEXTS = `
  CREATE FUNCTION firehose.to_texts(value jsonb) RETURNS text[]
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$
    SELECT CASE WHEN jsonb_typeof(value) = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(value)) END
  $$`;

const SUBJECT_RECORD = [
  `record #>> '{subject,uri}' AS subject`,
  `split_part(record #>> '{subject,uri}', '/', 3) AS subject_did`,
];
const SUBJECT_DID = [`record->>'subject' AS subject`];

const VIEWS: readonly ViewColumns[] = [
  {
    name: "posts",
    collection: "app.bsky.feed.post",
    columns: [
      `record->>'text' AS text`,
      `firehose.to_texts(record->'langs') AS langs`,
      `firehose.to_texts(record->'tags') AS tags`,
      `record #>> '{reply,parent,uri}' AS reply_parent`,
      `record #>> '{reply,root,uri}' AS reply_root`,
      `record #>> '{embed,$type}' AS embed`,
      `coalesce(record #>> '{embed,record,uri}', record #>> '{embed,record,record,uri}') AS quote`,
      `record #>> '{embed,external,uri}' AS link`,
    ],
  },
  { name: "likes", collection: "app.bsky.feed.like", columns: SUBJECT_RECORD },
  { name: "reposts", collection: "app.bsky.feed.repost", columns: SUBJECT_RECORD },
  { name: "follows", collection: "app.bsky.graph.follow", columns: SUBJECT_DID },
  { name: "blocks", collection: "app.bsky.graph.block", columns: SUBJECT_DID },
  {
    name: "profiles",
    collection: "app.bsky.actor.profile",
    columns: [
      `(SELECT p.handle FROM firehose.repos AS p WHERE p.did = r.did) AS handle`,
      `record->>'displayName' AS display_name`,
      `record->>'description' AS description`,
      `record #>> '{avatar,ref,$link}' AS avatar`,
      `record #>> '{banner,ref,$link}' AS banner`,
      `record #>> '{pinnedPost,uri}' AS pinned_post`,
    ],
    // An account has one profile, with the key `self`. Records with another key are not profiles.
    where: "rkey = 'self'",
  },
  {
    name: "lists",
    collection: "app.bsky.graph.list",
    columns: [
      `record->>'name' AS name`,
      `record->>'purpose' AS purpose`,
      `record->>'description' AS description`,
      `record #>> '{avatar,ref,$link}' AS avatar`,
    ],
  },
  {
    name: "list_items",
    collection: "app.bsky.graph.listitem",
    columns: [`record->>'list' AS list`, `record->>'subject' AS subject`],
  },
];

/** The views of version 2 of the schema. Later ones are in more-views.ts. */
export const FIRST_VIEW_NAMES: readonly string[] = VIEWS.map(({ name }) => name);

export const VIEW_STATEMENTS: readonly string[] = [TO_TIME, TO_TEXTS, ...VIEWS.map(viewStatement)];
