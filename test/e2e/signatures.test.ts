/** BACKFILL_VERIFY, level by level, from a relay's socket to the tables: what each lets in and what it sets aside. */
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { KeyServiceError, type ResolveKey } from "@firehose-backfill/core/did-resolver";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { type ReplayRelay, startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { type RunResult, runServer } from "@firehose-backfill/server/run-server";
import { encode } from "@ipld/dag-cbor";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accountFrame, type CommitSpec, commitFrame } from "../support/make-frame.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";
import { newSigner } from "../support/sign.ts";

const alice = newSigner("k256");
const bob = newSigner("p256");
const ALICE = "did:plc:aliceaaaaaaaaaaaaaaaaaaa";
const BOB = "did:web:bob.example.com";
const NOBODY = "did:plc:nobodyaaaaaaaaaaaaaaaaaa";

const commit = (seq: number, did: string, rkey: string, fields: Partial<CommitSpec> = {}) =>
  commitFrame({
    seq,
    did,
    rev: `3aaaaaaaaa${"abcdefghij".charAt(seq)}2a`,
    ops: [{ action: "create", path: `com.example.thing/${rkey}`, record: { seq } }],
    ...fields,
  });
const tampered = () => {
  const frame = Buffer.from(commit(6, ALICE, "tampered", { sign: alice.sign }));
  // One byte of the record: its CID no longer fits.
  const at = frame.lastIndexOf(encode({ seq: 6 }));
  frame[at + 5] = 7;
  return frame;
};
const FRAMES = [
  commit(1, ALICE, "signed", { sign: alice.sign }),
  commit(2, BOB, "signed", { sign: bob.sign }),
  commit(3, BOB, "by-another", { sign: alice.sign }),
  commit(4, NOBODY, "no-key", { sign: alice.sign }),
  commit(5, ALICE, "high-s", { sign: highS }),
  tampered(),
  accountFrame({ seq: 7, did: NOBODY, active: true }),
];

let folder: TemporaryFolder;
let postgres: Postgres;
let relay: ReplayRelay;

beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  relay = await startReplayRelay({ frames: FRAMES });
}, 120_000);

afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const keys: ResolveKey = async (did) => (did === ALICE ? alice.key : did === BOB ? bob.key : null);

async function run(name: string, verify: string, resolveKey: ResolveKey) {
  await using admin = await openTestDatabase(postgres.databaseUrl);
  await admin.query(`create database ${name}`, []);
  const url = new URL(postgres.databaseUrl);
  url.pathname = `/${name}`;
  const raw = {
    RELAY_URL: relay.url,
    DATABASE_URL: url.href,
    BACKFILL_DATA_DIR: `${folder.path}/${name}`,
    BACKFILL_VERIFY: verify,
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_MAX_MEMORY_MB: "4096",
    PORT: "0",
  };
  const lines: string[] = [];
  const result: RunResult = await runServer({
    config: parseConfig(raw),
    configure: (values) => parseConfig(raw, { overrides: [{ source: "event", values }] }),
    untilDone: true,
    consumers: "in-process",
    start: { from: "oldest", to: String(FRAMES.length), isNew: false, isDryRun: false },
    onSnapshot: () => {},
    log: (line) => void lines.push(line),
    stop: new AbortController().signal,
    resolveKey,
  });
  await using database = await openTestDatabase(url.href);
  const kept = await database.query(`select did || ' ' || rkey as name from firehose.records order by seq`, []);
  const dead = await database.query("select path, reason from firehose.dead_events order by seq", []);
  return {
    exit: result.exit,
    dead: result.snapshot?.dead,
    kept: kept.map((row) => row["name"]),
    aside: dead.map(({ path, reason }) => `${String(path).split("/")[1]} ${String(reason)}`),
    log: lines.join("\n"),
  };
}

const UNSIGNED = [`${BOB} by-another`, `${NOBODY} no-key`, `${ALICE} high-s`];
const SIGNED = [`${ALICE} signed`, `${BOB} signed`];

test("structure lets in whatever is well-formed", async () => {
  const result = await run("structure", "structure", keys);
  expect(result).toMatchObject({ exit: "done", kept: [...SIGNED, ...UNSIGNED, `${ALICE} tampered`], aside: [] });
}, 120_000);

test("hash sets aside the record that is not the one its commit names", async () => {
  const result = await run("hash", "hash", keys);
  expect(result).toMatchObject({
    exit: "done-with-dead",
    dead: 1,
    kept: [...SIGNED, ...UNSIGNED],
    aside: ["tampered hash-mismatch"],
  });
}, 120_000);

test("signature sets aside what the account has not signed, and waits while keys cannot be looked up", async () => {
  let refusals = 0;
  const result = await run("signature", "signature", async (did, options) => {
    // The directory is away for the first tick and its retries.
    if (refusals < 4) {
      refusals += 1;
      throw new KeyServiceError("plc.directory: HTTP 503");
    }
    return await keys(did, options);
  });
  expect(refusals).toBe(4);
  expect(result).toMatchObject({
    exit: "done-with-dead",
    dead: 4,
    kept: SIGNED,
    aside: ["by-another bad-signature", "no-key no-key", "high-s bad-signature", "tampered hash-mismatch"],
  });
}, 120_000);

/** The other of the two s that fit: signed by the account, and refused all the same, as atproto wants it. */
function highS(message: Uint8Array): Uint8Array {
  const signature = Buffer.from(alice.sign(message));
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const s = order - BigInt(`0x${signature.subarray(32).toString("hex")}`);
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, "0"), "hex")]);
}
