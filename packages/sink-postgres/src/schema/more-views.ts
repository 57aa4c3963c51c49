/**
 * The views that came with version 6: the other collections of Bluesky, what posts contain (a row for each facet, image, link),
 * and counts. The older views stay as they are, because people have views of their own on top of them.
 */
import { grantsAsOf } from "./change-feed.ts";
import { type ViewColumns, viewStatement } from "./view.ts";
import { FIRST_VIEW_NAMES } from "./views.ts";

const HELPERS = [
  /** Returns a list as it is, and an empty list for anything else. */
  `CREATE FUNCTION firehose.to_list(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
   AS $$ SELECT CASE WHEN jsonb_typeof(value) = 'array' THEN value ELSE '[]' END $$`,
  /** Returns a whole number of at most nine digits; NULL for anything else. */
  `CREATE FUNCTION firehose.to_int(value jsonb) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
   AS $$ SELECT CASE WHEN jsonb_typeof(value) = 'number' AND value::text ~ '^[0-9]{1,9}$' THEN value::text::integer END $$`,
  /** Returns the texts of one field from a list of objects. */
  `CREATE FUNCTION firehose.to_fields(value jsonb, field text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
   AS $$
     SELECT CASE WHEN jsonb_typeof(value) = 'array'
       THEN ARRAY(SELECT e ->> field FROM jsonb_array_elements(value) AS e WHERE e ->> field IS NOT NULL) END
   $$`,
];

/**
 * Returns one record by its address, found by the primary key. The planner inlines the function, so that a join does one index
 * lookup for each row.
 */
const RECORD = `
  CREATE FUNCTION firehose.record(uri text)
  RETURNS TABLE (did text, collection text, rkey text, cid text, rev text, seq bigint, record jsonb, indexed_at timestamptz)
  LANGUAGE sql STABLE ROWS 1
  AS $$
    SELECT r.did, r.collection, r.rkey, r.cid, r.rev, r.seq, r.record, r.indexed_at FROM firehose.live_records AS r
    WHERE r.did = split_part(uri, '/', 3) AND r.collection = split_part(uri, '/', 4) AND r.rkey = split_part(uri, '/', 5)
      AND uri LIKE 'at://%'
  $$`;

const COLLECTIONS: readonly ViewColumns[] = [
  {
    name: "feed_generators",
    collection: "app.bsky.feed.generator",
    columns: [
      `record->>'did' AS service`,
      `record->>'displayName' AS display_name`,
      `record->>'description' AS description`,
      `record #>> '{avatar,ref,$link}' AS avatar`,
    ],
  },
  {
    name: "starter_packs",
    collection: "app.bsky.graph.starterpack",
    columns: [
      `record->>'name' AS name`,
      `record->>'description' AS description`,
      `record->>'list' AS list`,
      `firehose.to_fields(record->'feeds', 'uri') AS feeds`,
    ],
  },
  {
    name: "labelers",
    collection: "app.bsky.labeler.service",
    columns: [
      `firehose.to_texts(record #> '{policies,labelValues}') AS label_values`,
      `firehose.to_texts(record->'reasonTypes') AS reason_types`,
      `firehose.to_texts(record->'subjectTypes') AS subject_types`,
      `firehose.to_texts(record->'subjectCollections') AS subject_collections`,
    ],
    where: "rkey = 'self'",
  },
  {
    name: "threadgates",
    collection: "app.bsky.feed.threadgate",
    columns: [
      `record->>'post' AS post`,
      `firehose.to_fields(record->'allow', '$type') AS allow`,
      `firehose.to_fields(record->'allow', 'list') AS allow_lists`,
      `firehose.to_texts(record->'hiddenReplies') AS hidden_replies`,
    ],
  },
  {
    name: "postgates",
    collection: "app.bsky.feed.postgate",
    columns: [
      `record->>'post' AS post`,
      `firehose.to_fields(record->'embeddingRules', '$type') AS embedding_rules`,
      `firehose.to_texts(record->'detachedEmbeddingUris') AS detached_quotes`,
    ],
  },
  {
    name: "list_blocks",
    collection: "app.bsky.graph.listblock",
    columns: [`record->>'subject' AS list`, `split_part(record->>'subject', '/', 3) AS list_did`],
  },
  {
    name: "verifications",
    collection: "app.bsky.graph.verification",
    columns: [`record->>'subject' AS subject`, `record->>'handle' AS handle`, `record->>'displayName' AS display_name`],
  },
];

const POST = "app.bsky.feed.post";
/** The media of a post are in its embed or, if the post also quotes, in the embed's `media`. */
const MEDIA = (field: string) => `coalesce(record #> '{embed,${field}}', record #> '{embed,media,${field}}')`;
/** As in the view `posts`. */
export const QUOTED = `coalesce(record #>> '{embed,record,uri}', record #>> '{embed,record,record,uri}')`;
const EMBED_TYPE = `coalesce(record #>> '{embed,media,$type}', record #>> '{embed,$type}')`;

const CONTENTS: readonly ViewColumns[] = [
  {
    name: "post_facets",
    collection: POST,
    items: `jsonb_array_elements(firehose.to_list(record->'facets')) WITH ORDINALITY AS f(facet, position),
      jsonb_array_elements(firehose.to_list(facet->'features')) AS feature`,
    columns: [
      "position::integer AS position",
      `firehose.to_int(facet #> '{index,byteStart}') AS byte_start`,
      `firehose.to_int(facet #> '{index,byteEnd}') AS byte_end`,
      `split_part(feature->>'$type', '#', 2) AS kind`,
      `coalesce(feature->>'did', feature->>'uri', feature->>'tag') AS value`,
    ],
  },
  {
    name: "post_images",
    collection: POST,
    items: `jsonb_array_elements(firehose.to_list(${MEDIA("images")})) WITH ORDINALITY AS i(image, position)`,
    columns: [
      "position::integer AS position",
      `image #>> '{image,ref,$link}' AS image`,
      `image->>'alt' AS alt`,
      `image #>> '{image,mimeType}' AS mime_type`,
      `firehose.to_int(image #> '{aspectRatio,width}') AS width`,
      `firehose.to_int(image #> '{aspectRatio,height}') AS height`,
    ],
  },
  {
    name: "post_videos",
    collection: POST,
    columns: [
      `${MEDIA("video,ref,$link").replaceAll("#>", "#>>")} AS video`,
      `${MEDIA("alt").replaceAll("#>", "#>>")} AS alt`,
      `${MEDIA("video,mimeType").replaceAll("#>", "#>>")} AS mime_type`,
      `firehose.to_int(${MEDIA("aspectRatio,width")}) AS width`,
      `firehose.to_int(${MEDIA("aspectRatio,height")}) AS height`,
    ],
    where: `${EMBED_TYPE} = 'app.bsky.embed.video'`,
  },
  {
    name: "post_links",
    collection: POST,
    columns: [
      `${MEDIA("external,uri").replaceAll("#>", "#>>")} AS link`,
      `${MEDIA("external,title").replaceAll("#>", "#>>")} AS title`,
      `${MEDIA("external,description").replaceAll("#>", "#>>")} AS description`,
      `${MEDIA("external,thumb,ref,$link").replaceAll("#>", "#>>")} AS thumb`,
    ],
    where: `${EMBED_TYPE} = 'app.bsky.embed.external'`,
  },
  {
    name: "quotes",
    collection: POST,
    columns: [`${QUOTED} AS quoted`, `split_part(${QUOTED}, '/', 3) AS quoted_did`],
    where: `split_part(${QUOTED}, '/', 4) = '${POST}'`,
  },
  {
    name: "post_languages",
    collection: POST,
    items: `unnest(firehose.to_texts(record->'langs')) AS lang`,
    columns: ["lang"],
  },
];

/** The counts for the address of a post or for a DID. Each uses a view and a column for which there is an index set. */
const COUNTS: readonly { readonly name: string; readonly of: string; readonly by: string; readonly key: string }[] = [
  { name: "like_counts", of: "likes", by: "subject", key: "uri" },
  { name: "repost_counts", of: "reposts", by: "subject", key: "uri" },
  { name: "reply_counts", of: "posts", by: "reply_parent", key: "uri" },
  { name: "quote_counts", of: "posts", by: "quote", key: "uri" },
  { name: "follower_counts", of: "follows", by: "subject", key: "did" },
  { name: "follow_counts", of: "follows", by: "did", key: "did" },
  { name: "post_counts", of: "posts", by: "did", key: "did" },
];

const countStatement = ({ name, of, by, key }: (typeof COUNTS)[number]): string =>
  `CREATE VIEW firehose.${name} AS SELECT ${by} AS ${key}, count(*) AS count FROM firehose.${of} WHERE ${by} IS NOT NULL GROUP BY ${by}`;

export const COUNT_VIEW_NAMES: readonly string[] = COUNTS.map(({ name }) => name);

/** All views that have the key columns of a record. */
export const VIEW_NAMES: readonly string[] = [
  ...FIRST_VIEW_NAMES,
  ...COLLECTIONS.map(({ name }) => name),
  ...CONTENTS.map(({ name }) => name),
];

const ADDED = [...COLLECTIONS, ...CONTENTS];

/** Roles that may read all live records may also read these views. */
export const MORE_VIEWS: readonly string[] = [
  ...HELPERS,
  RECORD,
  ...ADDED.map(viewStatement),
  ...COUNTS.map(countStatement),
  ...[...ADDED, ...COUNTS].map(({ name }) => grantsAsOf("firehose.live_records", `firehose.${name}`, ["SELECT"])),
];
