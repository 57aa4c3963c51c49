/**
 * Sets of indexes beside those that every database has: each serves some queries on the views and makes every write slower. They are made
 * beside the running writes (CREATE INDEX CONCURRENTLY). docs/views.md has the queries and the measured cost of each set.
 */
import { FEED_INDEXES } from "./change-feed.ts";
import { IS_TO_BE_LOOKED_UP } from "./handles.ts";
import { QUOTED } from "./more-views.ts";

export interface OptionalIndex {
  readonly name: string;
  readonly sql: string;
}

function onRecords(name: string, of: string, collection?: string): OptionalIndex {
  const where = collection === undefined ? "" : ` WHERE collection = '${collection}' AND cid IS NOT NULL`;
  return { name, sql: `CREATE INDEX CONCURRENTLY ${name} ON firehose.records ${of}${where}` };
}

const POST = "app.bsky.feed.post";

export const INDEX_SETS: Readonly<
  Record<string, { readonly serves: string; readonly indexes: readonly OptionalIndex[] }>
> = {
  uri: {
    serves: "WHERE uri = … and joins by uri, on every view",
    // A hash: a B-tree of addresses would be as large as the primary key.
    indexes: [onRecords("records_uri", `USING hash (('at://' || did || '/' || collection || '/' || rkey))`)],
  },
  likes: {
    serves: "likes, reposts and quotes of a post, and their counts",
    indexes: [
      onRecords("records_likes", "((record #>> '{subject,uri}'))", "app.bsky.feed.like"),
      onRecords("records_reposts", "((record #>> '{subject,uri}'))", "app.bsky.feed.repost"),
      onRecords("records_quotes", `((${QUOTED}))`, POST),
    ],
  },
  threads: {
    serves: "replies to a post, their count, and whole threads",
    indexes: [
      onRecords("records_replies", "((record #>> '{reply,parent,uri}'))", POST),
      onRecords("records_threads", "((record #>> '{reply,root,uri}'))", POST),
    ],
  },
  accounts: {
    serves: "followers, who blocks an account, members of a list, an account by its handle",
    indexes: [
      onRecords("records_followers", "((record->>'subject'))", "app.bsky.graph.follow"),
      onRecords("records_blocked", "((record->>'subject'))", "app.bsky.graph.block"),
      onRecords("records_list_items", "((record->>'list'))", "app.bsky.graph.listitem"),
      { name: "repos_handle", sql: "CREATE INDEX CONCURRENTLY repos_handle ON firehose.repos (handle)" },
    ],
  },
  handles: {
    serves: "an account by its handle, and BACKFILL_HANDLES: which accounts have not been looked up",
    indexes: [
      { name: "repos_handle", sql: "CREATE INDEX CONCURRENTLY repos_handle ON firehose.repos (handle)" },
      {
        name: "repos_unchecked",
        sql: `CREATE INDEX CONCURRENTLY repos_unchecked ON firehose.repos (did) WHERE ${IS_TO_BE_LOOKED_UP}`,
      },
    ],
  },
  timeline: {
    serves: "the newest posts of an account, of those that somebody follows, of everybody",
    indexes: [
      onRecords("records_author", "(did, indexed_at)", POST),
      onRecords("records_newest", "(indexed_at)", POST),
    ],
  },
  search: {
    serves: "words in posts",
    indexes: [onRecords("records_words", "USING gin (to_tsvector('simple', record->>'text'))", POST)],
  },
  changes: {
    serves:
      "what changed since a token. Every database has it, but for one whose tables were large when it was migrated",
    indexes: FEED_INDEXES.map(({ name, table, of }) => ({
      name,
      sql: `CREATE INDEX CONCURRENTLY ${name} ON ${table} ${of}`,
    })),
  },
};
