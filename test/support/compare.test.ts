import { expect, test } from "vitest";
import { compareTables, type Query, type Row } from "./compare.ts";
import { accountFrame, commitFrame, identityFrame, timeOf } from "./make-frame.ts";
import { type Expected, expectedTables } from "./oracle.ts";

const DID = "did:plc:aliceaaaaaaaaaaaaaaaaaaa";
const FRAMES = [
  commitFrame({
    seq: 1,
    did: DID,
    rev: "3aaaaaaaaaa2a",
    ops: [
      { action: "create", path: "a.b.c/one", record: { text: "one", z: 1, a: [1, null] } },
      { action: "delete", path: "a.b.c/two" },
    ],
  }),
  identityFrame({ seq: 2, did: DID, handle: "alice.test" }),
];

/** A database with the expected rows, in the form that a driver returns, modified by `change`. */
function database(expected: Expected, change: (tables: { records: Row[]; repos: Row[] }) => void = () => {}): Query {
  const records = [...expected.records.values()].map((row): Row => ({
    ...row,
    seq: String(row.seq),
    indexed_at: String(row.timeMs),
    record: row.record === null ? null : JSON.stringify(row.record),
  }));
  const repos = [...expected.repos.values()].map((repo): Row => ({
    ...repo,
    ...placeRow("handle", repo.handlePlace),
    ...placeRow("status", repo.statusPlace),
    ...placeRow("purged", repo.purged),
  }));
  const tables = { records, repos };
  change(tables);
  const hidden = new Set(tables.repos.filter((repo) => repo["active"] === false).map((repo) => repo["did"]));
  return (sql) => {
    if (sql.includes("dead_events")) return Promise.resolve([{ dead: "0" }]);
    if (sql.includes("firehose.repos")) return Promise.resolve(tables.repos);
    if (sql.includes("firehose.records")) return Promise.resolve(tables.records);
    return Promise.resolve(tables.records.filter((row) => row["cid"] !== null && !hidden.has(row["did"])));
  };
}

function placeRow(name: string, place: { timeMs: number; seq: number } | null): Row {
  return {
    [`${name}_at`]: place === null ? null : String(place.timeMs),
    [`${name}_seq`]: place === null ? null : String(place.seq),
  };
}

test("equal tables have no differences; the order of keys is none", async () => {
  const expected = await expectedTables(FRAMES);
  const query = database(expected, ({ records }) => {
    records[0] = { ...records[0], record: '{"a": [1, null], "z": 1, "text": "one"}' };
  });
  expect(await compareTables(query, expected)).toEqual([]);
});

test.each<{ what: string; change: Parameters<typeof database>[1]; told: RegExp }>([
  { what: "a row that is missing", change: ({ records }) => records.shift(), told: /^records: missing .*a\.b\.c\/one/ },
  {
    what: "a row too much",
    change: ({ records }) => records.push({ ...records[0], rkey: "three" }),
    told: /^records: too much .*a\.b\.c\/three/,
  },
  {
    what: "another value in a record",
    change: ({ records }) => (records[0] = { ...records[0], record: '{"text":"two"}' }),
    told: /^records: differs .*one\n {2}expected .*"one".*\n {2}found {4}.*"two"/,
  },
  {
    what: "another revision of a tombstone",
    change: ({ records }) => (records[1] = { ...records[1], rev: "x" }),
    told: /^records: differs .*two/,
  },
  {
    what: "another time",
    change: ({ records }) => (records[1] = { ...records[1], indexed_at: "0" }),
    told: /^records: differs .*1970-01-01/s,
  },
  {
    what: "another handle",
    change: ({ repos }) => (repos[0] = { ...repos[0], handle: null }),
    told: /^repos: differs .*alice\.test/s,
  },
  {
    what: "a repo hidden that is not",
    change: ({ repos }) => (repos[0] = { ...repos[0], active: false }),
    told: /^live_records: missing/,
  },
])("tells $what", async ({ change, told }) => {
  const expected = await expectedTables(FRAMES);
  const differences = await compareTables(database(expected, change), expected);
  expect(differences[0]).toMatch(told);
});

test("many differences are counted, not listed", async () => {
  const ops = Array.from({ length: 50 }, (_, i) => ({ action: "create" as const, path: `a.b.c/${i}`, record: { i } }));
  const expected = await expectedTables([commitFrame({ seq: 1, did: DID, rev: "3aaaaaaaaaa2a", ops })]);
  const differences = await compareTables(
    database(expected, ({ records }) => records.splice(0, 30)),
    expected,
  );
  expect(differences).toHaveLength(22);
  expect(differences[10]).toBe("records: and 20 more; 50 expected, 20 found");
});

test("an account marker's place is compared", async () => {
  const expected = await expectedTables([accountFrame({ seq: 5, did: DID, active: false, status: "deleted" })]);
  const query = database(expected, ({ repos }) => (repos[0] = { ...repos[0], purged_seq: "4" }));
  const at = timeOf(5);
  expect(await compareTables(query, expected)).toEqual([expect.stringContaining(`"purgedAt":"${at} #4"`)]);
});
