/**
 * What happens on the PDS: two acts of accounts that write, change and delete, so that every kind of frame comes up.
 * Each act returns what the checks must know and the PDS cannot be asked afterwards.
 */

/**
 * @typedef {object} Act
 * @property {string[]} live accounts that the PDS still answers for
 * @property {{ did: string, status: string, records: Map<string, { cid: string, value: unknown }> }[]} hidden with what
 *   they held when they went; a deleted one holds nothing
 * @property {string[]} deletedPaths `did/collection/rkey` of records that were written and deleted
 * @property {string[]} deadPaths `did/collection/rkey` of records that Postgres cannot hold
 */

const POST = "app.bsky.feed.post";
const LIKE = "app.bsky.feed.like";
const FOLLOW = "app.bsky.graph.follow";
const PROFILE = "app.bsky.actor.profile";
const CUSTOM = "com.example.custom.thing";

const createdAt = (n) => new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString();
const post = (text, n) => ({ $type: POST, text, createdAt: createdAt(n), langs: ["en"] });

const TEXTS = [
  "plain",
  "Grüße, 日本語, العربية, עברית",
  "👩‍👩‍👧‍👦 and 🏳️‍🌈, combined: e\u0301",
  "quotes \" ' ` \\ and a line\nbreak\ttab",
  "right-to-left \u202Eoverride, zero width \u200B\u200D, \uFEFF mark",
  "private \uE000, last of the plane \uFFFD, 𝒳 \u{10FFFD}",
  "$1 ? %s {{}} </script> -- ; drop table firehose.records",
];

/** Values at the edges of the data model. */
const thing = (cid) => ({
  $type: CUSTOM,
  link: { $link: cid },
  bytes: { $bytes: "AAECAwQF" },
  noBytes: { $bytes: "" },
  nothing: null,
  yes: true,
  largest: Number.MAX_SAFE_INTEGER,
  smallest: Number.MIN_SAFE_INTEGER,
  zero: 0,
  nested: { list: [[], {}, [1, [2, [3]]], { deep: { deeper: { deepest: "" } } }] },
  "": "an empty key",
  "ключ 🔑": "a key that is not ASCII",
});

/** @returns {Promise<Act & { cast: Record<string, any> }>} */
export async function firstAct(pds, adminPassword) {
  const names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
  const cast = {};
  for (const name of names) cast[name] = await pds.createAccount(`${name}.test`);
  const { alice, bob, carol, dave, erin, frank, grace, heidi } = cast;

  await put(alice, PROFILE, "self", { $type: PROFILE, displayName: "Alice 🦋", description: "first" });
  await put(alice, PROFILE, "self", { $type: PROFILE, displayName: "Alice 🦋", description: "second" });
  const posts = [];
  for (const [n, text] of TEXTS.entries()) posts.push(await create(alice, POST, post(text, n)));
  await put(alice, POST, rkeyOf(posts[0]), post("changed", 100));
  const deletedPaths = [await remove(alice, posts[1])];

  const custom = await create(bob, CUSTOM, thing(posts[2].cid));
  await put(bob, CUSTOM, "any-rkey:with.~_", { ...thing(custom.cid), changed: 1 });
  for (const subject of posts.slice(2)) await create(bob, LIKE, { $type: LIKE, subject, createdAt: createdAt(1) });
  for (const { did } of [alice, carol, dave, erin]) {
    await create(bob, FOLLOW, { $type: FOLLOW, subject: did, createdAt: createdAt(2) });
  }
  deletedPaths.push(...(await mixedCommit(carol)));

  await create(frank, POST, post("before the new name", 1));
  await frank.call("com.atproto.identity.updateHandle", { handle: "francesca.test" });

  await create(grace, POST, post("away for a while", 1));
  await grace.call("com.atproto.server.deactivateAccount", {});
  await grace.call("com.atproto.server.activateAccount");
  await create(grace, POST, post("back again", 2));

  const hidden = [];
  await create(dave, POST, post("hidden, but kept", 1));
  hidden.push({ did: dave.did, status: "deactivated", records: (await pds.listRepo(dave.did)).records });
  await dave.call("com.atproto.server.deactivateAccount", {});
  await create(heidi, POST, post("taken down", 1));
  hidden.push({ did: heidi.did, status: "takendown", records: (await pds.listRepo(heidi.did)).records });
  await takeDown(pds, adminPassword, heidi.did);
  await create(erin, POST, post("gone for good", 1));
  await pds.admin(adminPassword, "com.atproto.admin.deleteAccount", { did: erin.did });
  hidden.push({ did: erin.did, status: "deleted", records: new Map() });

  const live = [alice, bob, carol, frank, grace].map(({ did }) => did);
  return { live, hidden, deletedPaths, deadPaths: [], cast };
}

/**
 * So many frames that looking for a moment among them is worth it. Accounts write side by side: each repo does one thing at a time.
 * @param {Act & { cast: Record<string, any> }} before
 */
export async function crowd(before, posts) {
  const writers = [before.cast.alice, before.cast.bob, before.cast.carol, before.cast.grace];
  await Promise.all(
    writers.map(async (writer) => {
      for (let n = 0; n < posts / writers.length; n += 1) await create(writer, POST, post(`one of many: ${n}`, n));
    }),
  );
}

/**
 * Later, on the same accounts: one comes back, one goes, and records arrive that Postgres cannot hold.
 * @param {Act & { cast: Record<string, any> }} before
 * @returns {Promise<Act>}
 */
export async function secondAct(pds, before) {
  const { alice, bob, dave, frank } = before.cast;
  const nul = await create(alice, CUSTOM, { $type: CUSTOM, text: "before \0 after" });
  // After it, because a dead event moves no revision.
  await put(alice, PROFILE, "self", { $type: PROFILE, displayName: "Alice", description: "third" });
  const gone = await create(bob, POST, post("short-lived", 1));
  const deletedPath = await remove(bob, gone);
  await dave.call("com.atproto.server.activateAccount");
  await create(dave, POST, post("here again", 3));
  const { records } = await pds.listRepo(frank.did);
  await frank.call("com.atproto.server.deactivateAccount", {});

  return {
    live: [...before.live.filter((did) => did !== frank.did), dave.did],
    hidden: [
      ...before.hidden.filter(({ did }) => did !== dave.did),
      { did: frank.did, status: "deactivated", records },
    ],
    deletedPaths: [...before.deletedPaths, deletedPath],
    deadPaths: [pathOf(nul)],
  };
}

/** One commit of 200 creates, the most that there may be, then one that creates, updates and deletes. */
async function mixedCommit(account) {
  const rkeys = Array.from({ length: 200 }, (_, n) => `post-${n}`);
  const write = (kind, rkey, value) => ({
    $type: `com.atproto.repo.applyWrites#${kind}`,
    collection: POST,
    rkey,
    ...(value === undefined ? {} : { value }),
  });
  const apply = (writes) =>
    account.call("com.atproto.repo.applyWrites", { repo: account.did, validate: false, writes });
  await apply(rkeys.map((rkey, n) => write("create", rkey, post(`number ${n}`, n))));
  const [deleted, updated] = [rkeys.slice(0, 20), rkeys.slice(20, 40)];
  await apply([
    ...deleted.map((rkey) => write("delete", rkey)),
    ...updated.map((rkey, n) => write("update", rkey, post(`number ${n}, changed`, n))),
    write("create", "one-more", post("one more", 1)),
  ]);
  return deleted.map((rkey) => `${account.did}/${POST}/${rkey}`);
}

async function create(account, collection, record) {
  const { uri, cid } = await account.call("com.atproto.repo.createRecord", {
    repo: account.did,
    collection,
    validate: false,
    record,
  });
  return { uri, cid };
}

function put(account, collection, rkey, record) {
  return account.call("com.atproto.repo.putRecord", { repo: account.did, collection, rkey, validate: false, record });
}

async function remove(account, ref) {
  const [collection, rkey] = ref.uri.split("/").slice(3);
  await account.call("com.atproto.repo.deleteRecord", { repo: account.did, collection, rkey });
  return pathOf(ref);
}

function takeDown(pds, adminPassword, did) {
  return pds.admin(adminPassword, "com.atproto.admin.updateSubjectStatus", {
    subject: { $type: "com.atproto.admin.defs#repoRef", did },
    takedown: { applied: true, ref: "test" },
  });
}

function rkeyOf(ref) {
  return ref.uri.split("/").at(-1);
}

/** `did/collection/rkey` */
function pathOf(ref) {
  return ref.uri.slice("at://".length);
}
