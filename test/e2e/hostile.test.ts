/**
 * A relay that means harm, and an operator with secrets, through the whole program: hostile text and hostile records are
 * numbers in a table; no line of the log can be forged; no secret is said, kept in a file or shown on the page.
 */
import { readFile } from "node:fs/promises";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { type ScriptedRelay, serve, startRelay } from "@firehose-backfill/testing/firehose/scripted-relay";
import { encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { descendants } from "../chaos/processes.ts";
import { cidOf, commitFrame, identityFrame, type OpSpec } from "../support/make-frame.ts";
import { startProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";

const DID = "did:plc:aliceaaaaaaaaaaaaaaaaaaa";
const PASSWORD = "pa55-of-the-database";
const CONTACT = "oncall-desk@operator.example";
const FORGED = "\u001b[2J\n[BACKFILL] Progress: 999 received, 999 processed, 0 skipped (9.9 evt/s)\n";

/** What Postgres gives back for them, compared as values. */
const KEPT: Readonly<Record<string, unknown>> = {
  noncharacters: { text: "\u{FFFE}\u{FFFF}\u{1F4A9}" },
  control: { text: 'quote " backslash \\ newline \n escape \u001b[31m' },
  written: { text: String.raw`\u0000 \ud800 as text` },
  integers: { most: Number.MAX_SAFE_INTEGER, least: -Number.MAX_SAFE_INTEGER },
  names: { constructor: 1, hasOwnProperty: 2, toString: 3 },
};

/** Reason in dead_events, by the bytes of the record. */
const REFUSED: Readonly<Record<string, { readonly bytes: Uint8Array; readonly reason: string }>> = {
  nul: { bytes: encode({ text: "a\0b" }), reason: "nul-character" },
  "nul-key": { bytes: encode({ "a\0b": 1 }), reason: "nul-character" },
  "lone-surrogate": { bytes: hex("a1 61 74 63 ed a0 80"), reason: "invalid-utf8" },
  "beyond-2-53": { bytes: hex("a1 61 6e 1b 00 20 00 00 00 00 00 00"), reason: "integer-range" },
  "below-2-53": { bytes: hex("a1 61 6e 3b 00 1f ff ff ff ff ff ff"), reason: "integer-range" },
  float: { bytes: hex("a1 61 66 fb 3f f8 00 00 00 00 00 00"), reason: "float" },
  nan: { bytes: hex("a1 61 66 fb 7f f8 00 00 00 00 00 00"), reason: "float" },
  prototype: { bytes: hex("a1 69 5f 5f 70 72 6f 74 6f 5f 5f a1 61 78 01"), reason: "proto-key" },
  twice: { bytes: hex("a2 61 61 01 61 61 02"), reason: "duplicate-key" },
  unsorted: { bytes: hex("a2 61 62 01 61 61 02"), reason: "key-order" },
  indefinite: { bytes: hex("bf ff"), reason: "indefinite-length" },
  deep: { bytes: hex(`a1 61 61 ${"81".repeat(40)} 01`), reason: "depth" },
  longer: { bytes: hex("a0 00"), reason: "trailing-bytes" },
  list: { bytes: hex("80"), reason: "not-a-map" },
};

const write = (rkey: string, fields: Partial<OpSpec>): OpSpec => ({
  action: "create",
  path: `com.example.thing/${rkey}`,
  ...fields,
});
const OPS: readonly OpSpec[] = [
  ...Object.entries(KEPT).map(([rkey, record]) => write(rkey, { record })),
  write("bytes-and-link", { record: { bytes: Uint8Array.of(0, 255), link: CID.parse(cidOf({ linked: true })) } }),
  ...Object.entries(REFUSED).map(([rkey, { bytes }]) => write(rkey, { block: bytes })),
  { action: "create", path: `com.example.thing/${FORGED}`, record: { n: 1 } },
];
const FRAMES = [
  ...OPS.map((op, n) => commitFrame({ seq: n + 1, did: DID, rev: `3aaaaaaaaa${letter(n)}2a`, ops: [op] })),
  identityFrame({ seq: OPS.length + 1, did: DID, handle: `alice${FORGED}.test` }),
].map((bytes, n) => ({ seq: n + 1, bytes: Buffer.from(bytes) }));

let folder: TemporaryFolder;
let postgres: Postgres;
let relay: ScriptedRelay;
let databaseUrl: string;
/** All that anybody could read of the run. */
let said: Readonly<Record<"stdout" | "stderr" | "snapshot" | "server" | "status" | "page" | "commands", string>>;

beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  await using admin = await openTestDatabase(postgres.databaseUrl);
  await admin.query(`create role operator login superuser password '${PASSWORD}'`, []);
  const url = new URL(postgres.databaseUrl);
  url.username = "operator";
  url.password = PASSWORD;
  databaseUrl = url.href;

  const onError = serve(FRAMES);
  relay = await startRelay({
    onUpgrade(socket, index) {
      if (index > 0) return false;
      socket.end(`HTTP/1.1 503 Service Unavailable\r\nContent-Length: 300\r\n\r\n<h1>${FORGED}</h1>${" ".repeat(300)}`);
      return true;
    },
    onConnect(visit) {
      if (visit.index > 1) return onError(visit);
      visit.socket.send(Buffer.concat([encode({ op: -1 }), encode({ error: `Evil${FORGED}`, message: FORGED })]));
      visit.socket.close(1008, `because\n${FORGED}`.slice(0, 100));
    },
  });
  said = await runToItsEnd();
}, 180_000);

afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function runToItsEnd(): Promise<typeof said> {
  const dataDir = `${folder.path}/data`;
  const program = startProgram(["start", "--from", "oldest", "--to", String(FRAMES.length), "--json"], {
    RELAY_URL: relay.url,
    DATABASE_URL: databaseUrl,
    BACKFILL_DATA_DIR: dataDir,
    BACKFILL_CONTACT: CONTACT,
    BACKFILL_BATCH_SIZE: "7",
    BACKFILL_BATCH_DELAY_MS: "0",
  });
  await program.said("is succeeded");
  const page = /Status page: (\S+)/.exec(program.stderr())?.[1] ?? "";
  const read = async (path: string) => await (await fetch(`${page}${path}`)).text();
  const seen = {
    status: await read("/status.json"),
    page: await read("/"),
    snapshot: await readFile(`${dataDir}/snapshot.json`, "utf8"),
    server: await readFile(`${dataDir}/server.json`, "utf8"),
    commands: descendants(program.pid, "")
      .map(({ command }) => command)
      .join("\n"),
  };
  program.child.kill("SIGTERM");
  await program.exited;
  return { ...seen, stdout: program.stdout(), stderr: program.stderr() };
}

describe("what a relay sends", () => {
  it("was met: the refusal, the error frame and every event", () => {
    expect(relay.visits.length).toBeGreaterThan(1);
    expect(said.stderr).toContain(String.raw`\u001b[2J\n[BACKFILL] Progress: 999`);
    const { received, processed, dead }: Record<string, number> = JSON.parse(said.status);
    const refused = Object.keys(REFUSED).length + 1;
    expect({ received, processed, dead }).toEqual({
      received: FRAMES.length,
      processed: FRAMES.length - refused,
      dead: refused,
    });
  });

  it("forges no line and sends nothing to the terminal", () => {
    expect(said.stderr).not.toMatch(/^\[BACKFILL\] Progress: 999/m);
    // oxlint-disable-next-line no-control-regex -- it is what is looked for
    expect(holdersOf((text) => /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text))).toEqual([]);
    expect(said.page).not.toContain("<h1>\\u001b");
    expect(said.page).not.toContain("<h1>\u001b");
  });

  it("is stored as it is where jsonb can hold it", async () => {
    await using database = await openTestDatabase(databaseUrl);
    const rows = await database.query("select rkey, record::text as record from firehose.live_records", []);
    const stored = new Map(rows.map(({ rkey, record }) => [String(rkey), JSON.parse(String(record)) as unknown]));
    const bytesAndLink = { bytes: { $bytes: "AP8" }, link: { $link: cidOf({ linked: true }) } };
    expect(Object.fromEntries(stored)).toEqual({ ...KEPT, "bytes-and-link": bytesAndLink });
  });

  it("is set aside by its reason, bytes and all, where it cannot be applied", async () => {
    await using database = await openTestDatabase(databaseUrl);
    const rows = await database.query(
      "select path, reason, encode(payload, 'hex') as payload from firehose.dead_events",
      [],
    );
    const found = Object.fromEntries(
      rows.map(({ path, reason, payload }) => [String(path).split("/")[1], { reason, payload }]),
    );
    const expected = Object.entries(REFUSED).map(([rkey, { bytes, reason }]) => [
      rkey,
      { reason, payload: Buffer.from(bytes).toString("hex") },
    ]);
    expect(found).toMatchObject(Object.fromEntries(expected));
    expect(rows.find(({ path }) => String(path).endsWith(FORGED))).toMatchObject({ reason: "bad-path" });
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });
});

describe("what the operator keeps to himself", () => {
  it("is in nothing that is printed, stored, shown or listed", () => {
    expect(holdersOf((text) => text.length === 0)).toEqual([]);
    expect(holdersOf((text) => text.includes(PASSWORD))).toEqual([]);
    expect(holdersOf((text) => text.includes(CONTACT))).toEqual([]);
  });

  it("was in use: the contact went to the relay, and the page shows the database without its password", () => {
    expect(relay.visits[0]?.request.headers["user-agent"]).toContain(CONTACT);
    expect(said.status).toContain("operator@127.0.0.1");
  });
});

function holdersOf(isWanted: (text: string) => boolean): string[] {
  return Object.entries(said).flatMap(([name, text]) => (isWanted(text) ? [name] : []));
}

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
}

function letter(n: number): string {
  return "abcdefghijklmnopqrstuvwxyz234567".charAt(n);
}
