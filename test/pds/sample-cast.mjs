/** What the people of the bundled sample can do: each of these is one or more calls to the PDS, and takes some seconds of the story. */
import { crc32, deflateSync } from "node:zlib";

const POST = "app.bsky.feed.post";
const URL_LIKE = /https:\/\/[^\s)]*[^\s).,!?]/g;
const MENTION_LIKE = /@[a-z0-9-]+\.test/g;
const TAG_LIKE = /#[\p{L}\p{N}_]+/gu;

/** @typedef {{ uri: string, cid: string }} Ref of a record, as `com.atproto.repo.strongRef` */

/**
 * @param {ReturnType<import("./client.mjs").connectTo>} pds
 * @param {{ advance: (ms: number) => void }} clock
 */
export function castOf(pds, clock) {
  const didByHandle = new Map();
  let turn = 0;
  /** Between 4 and 14 seconds, the same in every recording. */
  const pass = () => clock.advance(4_000 + ((turn++ * 37) % 101) * 100);

  /** @param {string} name */
  async function join(name, profile) {
    pass();
    const account = await pds.createAccount(`${name}.test`);
    didByHandle.set(account.handle, account.did);
    const person = personOf(account);
    await person.profile(profile);
    return person;
  }

  function personOf(account) {
    const { did } = account;
    const create = async (collection, record, rkey) => {
      pass();
      const made = await account.call("com.atproto.repo.createRecord", {
        repo: did,
        collection,
        ...(rkey === undefined ? {} : { rkey }),
        record: { $type: collection, ...record, createdAt: new Date().toISOString() },
      });
      return { uri: made.uri, cid: made.cid };
    };
    const put = async (collection, rkey, record) => {
      pass();
      await account.call("com.atproto.repo.putRecord", {
        repo: did,
        collection,
        rkey,
        record: { $type: collection, ...record, createdAt: new Date().toISOString() },
      });
      return { uri: `at://${did}/${collection}/${rkey}` };
    };
    const subject = ({ uri, cid }) => ({ uri, cid });

    return {
      did,
      call: account.call,
      /** The whole profile: a later one replaces it. */
      profile: async ({ avatar, banner, ...rest }) =>
        put("app.bsky.actor.profile", "self", {
          ...rest,
          ...(avatar === undefined ? {} : { avatar: await upload(account, picture(avatar)) }),
          ...(banner === undefined ? {} : { banner: await upload(account, picture(banner)) }),
        }),
      /** Links, mentions and tags of the text become facets. */
      post: (text, { langs = ["en"], ...rest } = {}) => {
        const facets = facetsOf(text, didByHandle);
        return create(POST, { text, langs, ...(facets.length === 0 ? {} : { facets }), ...rest });
      },
      /** `to` is a post, or a reply with `root`, so that the thread keeps its first post. */
      async reply(to, text, options = {}) {
        const root = to.root ?? subject(to);
        const made = await this.post(text, { ...options, reply: { root, parent: subject(to) } });
        return { ...made, root };
      },
      images: async (...images) => ({
        $type: "app.bsky.embed.images",
        images: await Promise.all(
          images.map(async ({ alt, color, width = 40, height = 30 }) => ({
            alt,
            image: await upload(account, picture(color, width, height)),
            aspectRatio: { width, height },
          })),
        ),
      }),
      video: async (alt) => ({
        $type: "app.bsky.embed.video",
        video: await upload(account, MOVIE, "video/mp4"),
        alt,
        aspectRatio: { width: 16, height: 9 },
      }),
      link: async (uri, title, description, color) => ({
        $type: "app.bsky.embed.external",
        external: {
          uri,
          title,
          description,
          ...(color === undefined ? {} : { thumb: await upload(account, picture(color)) }),
        },
      }),
      quote: (post) => ({ $type: "app.bsky.embed.record", record: subject(post) }),
      quoteWith: (post, media) => ({
        $type: "app.bsky.embed.recordWithMedia",
        record: { $type: "app.bsky.embed.record", record: subject(post) },
        media,
      }),
      like: (post) => create("app.bsky.feed.like", { subject: subject(post) }),
      repost: (post) => create("app.bsky.feed.repost", { subject: subject(post) }),
      follow: (person) => create("app.bsky.graph.follow", { subject: person.did }),
      block: (person) => create("app.bsky.graph.block", { subject: person.did }),
      list: (name, purpose, description) =>
        create("app.bsky.graph.list", { name, purpose: `app.bsky.graph.defs#${purpose}`, description }),
      listItem: (list, person) => create("app.bsky.graph.listitem", { list: list.uri, subject: person.did }),
      /** All of them in one commit. */
      listItems: async (list, people) => {
        pass();
        const createdAt = new Date().toISOString();
        const $type = "app.bsky.graph.listitem";
        await account.call("com.atproto.repo.applyWrites", {
          repo: did,
          writes: people.map((person) => ({
            $type: "com.atproto.repo.applyWrites#create",
            collection: $type,
            value: { $type, list: list.uri, subject: person.did, createdAt },
          })),
        });
      },
      listBlock: (list) => create("app.bsky.graph.listblock", { subject: list.uri }),
      starterPack: (name, description, list, feeds) =>
        create("app.bsky.graph.starterpack", {
          name,
          description,
          list: list.uri,
          feeds: feeds.map(({ uri }) => ({ uri })),
        }),
      feed: (rkey, displayName, description) =>
        create("app.bsky.feed.generator", { did: "did:web:feeds.example.com", displayName, description }, rkey),
      labeler: (labelValues) =>
        put("app.bsky.labeler.service", "self", {
          policies: { labelValues },
          reasonTypes: ["com.atproto.moderation.defs#reasonOther"],
          subjectTypes: ["account", "record"],
          subjectCollections: [POST],
        }),
      verify: (person, handle, displayName) =>
        create("app.bsky.graph.verification", { subject: person.did, handle, displayName }),
      /** Who may answer. Its key is that of the post. */
      threadgate: (post, rules, hiddenReplies = []) =>
        put("app.bsky.feed.threadgate", rkeyOf(post), {
          post: post.uri,
          allow: rules,
          hiddenReplies: hiddenReplies.map(({ uri }) => uri),
        }),
      /** Who may quote. Its key is that of the post. */
      postgate: (post, detached = []) =>
        put("app.bsky.feed.postgate", rkeyOf(post), {
          post: post.uri,
          embeddingRules: [{ $type: "app.bsky.feed.postgate#disableRule" }],
          detachedEmbeddingUris: detached.map(({ uri }) => uri),
        }),
      remove: async (record) => {
        pass();
        const [collection, rkey] = record.uri.split("/").slice(3);
        await account.call("com.atproto.repo.deleteRecord", { repo: did, collection, rkey });
      },
      rename: async (name) => {
        pass();
        await account.call("com.atproto.identity.updateHandle", { handle: `${name}.test` });
        didByHandle.set(`${name}.test`, did);
      },
      deactivate: async () => {
        pass();
        await account.call("com.atproto.server.deactivateAccount", {});
      },
      activate: async () => {
        pass();
        await account.call("com.atproto.server.activateAccount");
      },
    };
  }

  return { join };
}

/** @param {ReadonlyMap<string, string>} didByHandle */
function facetsOf(text, didByHandle) {
  const facets = [];
  const add = (pattern, featureOf) => {
    for (const { 0: found, index } of text.matchAll(pattern)) {
      const byteStart = Buffer.byteLength(text.slice(0, index));
      const feature = featureOf(found);
      facets.push({ index: { byteStart, byteEnd: byteStart + Buffer.byteLength(found) }, features: [feature] });
    }
  };
  add(URL_LIKE, (uri) => ({ $type: "app.bsky.richtext.facet#link", uri }));
  add(MENTION_LIKE, (mention) => {
    const did = didByHandle.get(mention.slice(1));
    if (did === undefined) throw new Error(`nobody is called ${mention}`);
    return { $type: "app.bsky.richtext.facet#mention", did };
  });
  add(TAG_LIKE, (tag) => ({ $type: "app.bsky.richtext.facet#tag", tag: tag.slice(1) }));
  return facets.toSorted((a, b) => a.index.byteStart - b.index.byteStart);
}

async function upload(account, bytes, type = "image/png") {
  return (await account.upload(bytes, type)).blob;
}

/** A PNG of one color. @param {string} color as `rrggbb` */
function picture(color, width = 40, height = 30) {
  const row = Buffer.concat([Buffer.of(0), ...Array.from({ length: width }, () => Buffer.from(color, "hex"))]);
  const pixels = Buffer.concat(Array.from({ length: height }, () => row));
  const size = Buffer.alloc(13);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  // 8 bits, red, green and blue.
  size.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return Buffer.concat([
    signature,
    chunk("IHDR", size),
    chunk("IDAT", deflateSync(pixels)),
    chunk("IEND", Buffer.of()),
  ]);
}

function chunk(type, data) {
  const [length, typed, sum] = [Buffer.alloc(4), Buffer.concat([Buffer.from(type), data]), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, sum]);
}

/** Only its first box: a PDS looks no further. */
const MOVIE = Buffer.from("00000018667479706d703432000000006d70343269736f6d", "hex");

function rkeyOf({ uri }) {
  return uri.split("/").at(-1);
}
