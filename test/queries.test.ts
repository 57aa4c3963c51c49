/**
 * What an application asks of the tables: the new views on records of every kind, and the plans of the commonest queries on
 * tables that are large enough for the planner to care.
 */
import { systemClock } from "@firehose-backfill/core/clock";
import { openDatabase } from "@firehose-backfill/sink-postgres/connection";
import { makeIndexes } from "@firehose-backfill/sink-postgres/make-indexes";
import { INDEX_SETS } from "@firehose-backfill/sink-postgres/schema/optional-indexes";
import { createSink } from "@firehose-backfill/sink-postgres/sink";
import type { SinkRow } from "@firehose-backfill/sink/rows";
import { createDatabase, recordRow, request, SERVERS } from "@firehose-backfill/testing/sink/rows";
import { useServer } from "@firehose-backfill/testing/sink/server";
import { beforeAll, describe, expect, test } from "vitest";

const QUERIES = {
  "a post by its address": "SELECT * FROM firehose.posts WHERE uri = 'at://did:plc:a7/app.bsky.feed.post/p7'",
  "a record by its address": "SELECT * FROM firehose.record('at://did:plc:a7/app.bsky.feed.post/p7')",
  "some posts by their addresses":
    "SELECT * FROM firehose.posts WHERE uri = ANY ('{at://did:plc:a7/app.bsky.feed.post/p7,at://did:plc:a8/app.bsky.feed.post/p8}')",
  "a record of the table by its address":
    "SELECT * FROM firehose.live_records WHERE 'at://' || did || '/' || collection || '/' || rkey = 'at://did:plc:a7/app.bsky.feed.post/p7'",
  "the profile of an account": "SELECT * FROM firehose.profiles WHERE did = 'did:plc:a7'",
  "an account by its handle": "SELECT did FROM firehose.repos WHERE handle = 'a7.test'",
  "the newest posts of an account":
    "SELECT * FROM firehose.posts WHERE did = 'did:plc:a7' ORDER BY indexed_at DESC LIMIT 50",
  "the likes of a post": "SELECT * FROM firehose.likes WHERE subject = 'at://did:plc:a7/app.bsky.feed.post/p7'",
  "how many likes a post has":
    "SELECT count FROM firehose.like_counts WHERE uri = 'at://did:plc:a7/app.bsky.feed.post/p7'",
  "whether somebody likes a post":
    "SELECT uri FROM firehose.likes WHERE did = 'did:plc:a9' AND subject = 'at://did:plc:a7/app.bsky.feed.post/p7'",
  "the posts that an account likes":
    "SELECT p.* FROM firehose.likes AS l JOIN firehose.posts AS p ON p.uri = l.subject WHERE l.did = 'did:plc:a7'",
  "the same without an index on uri":
    "SELECT p.* FROM firehose.likes AS l, firehose.record(l.subject) AS p WHERE l.did = 'did:plc:a7'",
  "the reposts of a post": "SELECT * FROM firehose.reposts WHERE subject = 'at://did:plc:a7/app.bsky.feed.post/p7'",
  "the quotes of a post": "SELECT * FROM firehose.posts WHERE quote = 'at://did:plc:a7/app.bsky.feed.post/p7'",
  "the replies to a post": "SELECT * FROM firehose.posts WHERE reply_parent = 'at://did:plc:a7/app.bsky.feed.post/p7'",
  "how many replies a post has":
    "SELECT count FROM firehose.reply_counts WHERE uri = 'at://did:plc:a7/app.bsky.feed.post/p7'",
  "a whole thread": "SELECT * FROM firehose.posts WHERE reply_root = 'at://did:plc:a7/app.bsky.feed.post/p7'",
  "whom an account follows": "SELECT subject FROM firehose.follows WHERE did = 'did:plc:a7'",
  "who follows an account": "SELECT did FROM firehose.follows WHERE subject = 'did:plc:a7'",
  "how many follow an account": "SELECT count FROM firehose.follower_counts WHERE did = 'did:plc:a7'",
  "who follows an account and is followed by it": `SELECT a.did FROM firehose.follows AS a
    JOIN firehose.follows AS b ON b.did = a.subject AND b.subject = a.did WHERE a.subject = 'did:plc:a7'`,
  "the posts of those whom an account follows": `SELECT p.* FROM firehose.follows AS f CROSS JOIN LATERAL
    (SELECT * FROM firehose.posts AS p WHERE p.did = f.subject ORDER BY indexed_at DESC LIMIT 50) AS p
    WHERE f.did = 'did:plc:a7' ORDER BY p.indexed_at DESC LIMIT 50`,
  "the newest posts of everybody": "SELECT * FROM firehose.posts ORDER BY indexed_at DESC LIMIT 50",
  "words in posts":
    "SELECT * FROM firehose.posts WHERE to_tsvector('simple', text) @@ to_tsquery('simple', 'word77 & number')",
  "the images of a post": "SELECT * FROM firehose.post_images WHERE did = 'did:plc:a7' AND rkey = 'p7'",
  "the members of a list":
    "SELECT subject FROM firehose.list_items WHERE list = 'at://did:plc:a7/app.bsky.graph.list/l'",
  "what changed since": "SELECT * FROM firehose.changes($token, firehose.change_token())",
};

describe.each(SERVERS)("queries on $name", ({ binDir }) => {
  const server = useServer({ binDir });
  let databaseUrl: string;

  beforeAll(async () => {
    databaseUrl = await createDatabase(server.databaseUrl);
  });

  async function ask(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    await using database = openDatabase({ databaseUrl, poolSize: 1 });
    return await database.use([{ sql }], async (_session, [result]) => result?.rows ?? []);
  }

  async function apply(rows: readonly SinkRow[]): Promise<void> {
    const options = { clock: systemClock, random: Math.random, throttleQuery: null };
    await using sink = createSink({ databaseUrl, poolSize: 1, ...options });
    expect(await sink.apply(...request(rows))).toMatchObject({ kind: "applied", counts: { dead: 0 } });
  }

  const did = "did:plc:alice";
  const post = `at://${did}/app.bsky.feed.post/p1`;
  let n = 0;
  const record = (collection: string, rkey: string, value: object): SinkRow =>
    recordRow((n += 1), { collection: `app.bsky.${collection}`, rkey, json: JSON.stringify(value) });

  test("issue 17.7: the other collections have views with their columns", async () => {
    const avatar = { $type: "blob", ref: { $link: "bafyavatar" }, mimeType: "image/png", size: 5 };
    await apply([
      record("feed.generator", "f", { did: "did:web:feed.test", displayName: "Feed", description: "d", avatar }),
      record("graph.starterpack", "s", {
        name: "Start",
        list: "at://l",
        feeds: [{ uri: "at://f1" }, { uri: "at://f2" }],
      }),
      record("labeler.service", "self", {
        policies: { labelValues: ["spam", "rude"] },
        reasonTypes: ["r"],
        subjectTypes: ["account"],
      }),
      record("feed.threadgate", "p1", {
        post,
        allow: [
          { $type: "app.bsky.feed.threadgate#mentionRule" },
          { $type: "app.bsky.feed.threadgate#listRule", list: "at://l" },
        ],
        hiddenReplies: ["at://h"],
      }),
      record("feed.postgate", "p1", {
        post,
        embeddingRules: [{ $type: "app.bsky.feed.postgate#disableRule" }],
        detachedEmbeddingUris: ["at://q"],
      }),
      record("graph.listblock", "b", { subject: "at://did:plc:bob/app.bsky.graph.list/l" }),
      record("graph.verification", "v", { subject: "did:plc:bob", handle: "bob.test", displayName: "Bob" }),
    ]);
    expect(await ask("SELECT service, display_name, avatar FROM firehose.feed_generators")).toEqual([
      ["did:web:feed.test", "Feed", "bafyavatar"],
    ]);
    expect(await ask("SELECT name, list, feeds FROM firehose.starter_packs")).toEqual([
      ["Start", "at://l", "{at://f1,at://f2}"],
    ]);
    expect(
      await ask("SELECT label_values, reason_types, subject_types, subject_collections FROM firehose.labelers"),
    ).toEqual([["{spam,rude}", "{r}", "{account}", null]]);
    expect(await ask("SELECT post, allow, allow_lists, hidden_replies FROM firehose.threadgates")).toEqual([
      [post, "{app.bsky.feed.threadgate#mentionRule,app.bsky.feed.threadgate#listRule}", "{at://l}", "{at://h}"],
    ]);
    expect(await ask("SELECT post, embedding_rules, detached_quotes FROM firehose.postgates")).toEqual([
      [post, "{app.bsky.feed.postgate#disableRule}", "{at://q}"],
    ]);
    expect(await ask("SELECT list, list_did FROM firehose.list_blocks")).toEqual([
      ["at://did:plc:bob/app.bsky.graph.list/l", "did:plc:bob"],
    ]);
    expect(await ask("SELECT subject, handle, display_name FROM firehose.verifications")).toEqual([
      ["did:plc:bob", "bob.test", "Bob"],
    ]);
  });

  test("issue 17.7: what posts contain: facets, images with alt text, video, links, quotes, languages", async () => {
    const image = (link: string, alt: string) => ({
      alt,
      image: { $type: "blob", ref: { $link: link }, mimeType: "image/jpeg", size: 9 },
      aspectRatio: { width: 4, height: 3 },
    });
    const video = { $type: "blob", ref: { $link: "bafyvideo" }, mimeType: "video/mp4", size: 9 };
    const external = { uri: "https://example.com", title: "T", description: "D", thumb: video };
    const quoted = { record: { uri: post, cid: "c" } };
    const media = { $type: "app.bsky.embed.recordWithMedia", record: quoted };
    const images = { $type: "app.bsky.embed.images", images: [image("i1", "one"), image("i2", "two")] };
    await apply([
      record("feed.post", "p1", {
        text: "héllo @bob #tag https://x",
        langs: ["en", "de"],
        facets: [
          {
            index: { byteStart: 7, byteEnd: 11 },
            features: [{ $type: "app.bsky.richtext.facet#mention", did: "did:plc:bob" }],
          },
          {
            index: { byteStart: 12, byteEnd: 16 },
            features: [{ $type: "app.bsky.richtext.facet#tag", tag: "tag" }],
          },
          {
            index: { byteStart: 17, byteEnd: 26 },
            features: [{ $type: "app.bsky.richtext.facet#link", uri: "https://x" }],
          },
        ],
        embed: images,
      }),
      record("feed.post", "p2", { text: "", embed: { ...media, media: images } }),
      record("feed.post", "p3", {
        embed: { $type: "app.bsky.embed.video", video, alt: "a film", aspectRatio: { width: 16, height: 9 } },
      }),
      record("feed.post", "p4", { embed: { ...media, media: { $type: "app.bsky.embed.external", external } } }),
      record("feed.post", "p5", { embed: { $type: "app.bsky.embed.record", ...quoted } }),
      record("feed.post", "p6", {
        embed: { $type: "app.bsky.embed.record", record: { uri: "at://did:plc:bob/app.bsky.graph.list/l" } },
      }),
    ]);
    expect(
      await ask("SELECT rkey, position, byte_start, byte_end, kind, value FROM firehose.post_facets ORDER BY position"),
    ).toEqual([
      ["p1", "1", "7", "11", "mention", "did:plc:bob"],
      ["p1", "2", "12", "16", "tag", "tag"],
      ["p1", "3", "17", "26", "link", "https://x"],
    ]);
    expect(
      await ask("SELECT rkey, position, image, alt, mime_type, width, height FROM firehose.post_images ORDER BY 1, 2"),
    ).toEqual([
      ["p1", "1", "i1", "one", "image/jpeg", "4", "3"],
      ["p1", "2", "i2", "two", "image/jpeg", "4", "3"],
      ["p2", "1", "i1", "one", "image/jpeg", "4", "3"],
      ["p2", "2", "i2", "two", "image/jpeg", "4", "3"],
    ]);
    expect(await ask("SELECT rkey, video, alt, mime_type, width, height FROM firehose.post_videos")).toEqual([
      ["p3", "bafyvideo", "a film", "video/mp4", "16", "9"],
    ]);
    expect(await ask("SELECT rkey, link, title, description, thumb FROM firehose.post_links")).toEqual([
      ["p4", "https://example.com", "T", "D", "bafyvideo"],
    ]);
    expect(await ask("SELECT rkey, quoted, quoted_did FROM firehose.quotes ORDER BY 1")).toEqual(
      ["p2", "p4", "p5"].map((rkey) => [rkey, post, did]),
    );
    expect(await ask("SELECT rkey, lang FROM firehose.post_languages ORDER BY 2")).toEqual([
      ["p1", "de"],
      ["p1", "en"],
    ]);
    expect(await ask(`SELECT count FROM firehose.quote_counts WHERE uri = '${post}'`)).toEqual([["3"]]);
    expect(await ask(`SELECT record->>'text' FROM firehose.record('${post}')`)).toEqual([
      ["héllo @bob #tag https://x"],
    ]);
    expect(await ask(`SELECT record FROM firehose.record('https://${did}/app.bsky.feed.post/p1')`)).toEqual([]);
  });

  describe("issue 17.7: no common query scans the table", () => {
    let token = "";

    beforeAll(async () => {
      const insert = (collection: string, key: string, value: string, count: number) =>
        ask(`INSERT INTO firehose.records SELECT 'did:plc:a' || n % 2000, 'app.bsky.${collection}', '${key}' || n, 'cid',
          '3l', n, ${value}, now() - n * interval '1 second' FROM generate_series(1, ${count}) AS n`);
      const uri = (k: string) => `'at://did:plc:a' || ${k} % 2000 || '/app.bsky.feed.post/p' || ${k}`;
      await insert("feed.post", "p", `jsonb_build_object('text', 'word' || n % 500 || ' number ' || n)`, 20_000);
      await insert(
        "feed.post",
        "r",
        `jsonb_build_object('text', 'reply', 'reply', jsonb_build_object('parent', jsonb_build_object('uri', ${uri("n")}),
          'root', jsonb_build_object('uri', ${uri("n")})), 'embed', jsonb_build_object('record', jsonb_build_object('uri', ${uri("n")})))`,
        5_000,
      );
      for (const name of ["feed.like", "feed.repost"])
        await insert(name, "s", `jsonb_build_object('subject', jsonb_build_object('uri', ${uri("n")}))`, 10_000);
      await insert("graph.follow", "f", "jsonb_build_object('subject', 'did:plc:a' || n * 7 % 2000)", 10_000);
      await insert(
        "graph.listitem",
        "i",
        "jsonb_build_object('list', 'at://did:plc:a' || n % 2000 || '/app.bsky.graph.list/l', 'subject', 'did:plc:a1')",
        4_000,
      );
      await ask(`INSERT INTO firehose.repos (did, handle, updated_at)
        SELECT 'did:plc:a' || n, 'a' || n || '.test', now() FROM generate_series(0, 60000) AS n`);
      await makeIndexes({ databaseUrl }, Object.keys(INDEX_SETS));
      token = (await ask("SELECT firehose.change_token()"))[0]?.[0] ?? "";
      await ask("VACUUM ANALYZE firehose.records");
      await ask("VACUUM ANALYZE firehose.repos");
    });

    test.each(Object.entries(QUERIES))("%s", async (_name, sql) => {
      const plan = (await ask(`EXPLAIN ${sql.replace("$token", `'${token}'`)}`)).flat().join("\n");
      expect(plan).not.toMatch(/Seq Scan on (records|repos)/);
      expect(plan).toMatch(/Index/);
      await ask(sql.replace("$token", `'${token}'`));
    });
  });
});
