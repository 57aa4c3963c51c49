/** `events`: what it shows, and that it continues where it was. */
import type { AppliedRecord, Change, EventFeed } from "@firehose-backfill/server/event-feed";
import { expect, it } from "vitest";
import { main } from "../main.ts";
import { testWorld } from "@firehose-backfill/testing/cli/world";

const recordAt = (seq: number, different: Partial<AppliedRecord> = {}): AppliedRecord => ({
  seq,
  time: "2026-01-02T03:04:05.678Z",
  did: "did:plc:alice",
  collection: "app.bsky.feed.post",
  rkey: `key${seq}`,
  rev: "3l3qo2vuowo2b",
  cid: "bafyreia",
  isDeleted: false,
  record: '{"text": "hello"}',
  ...different,
});

/** Returns the last three records, then one page for each poll; the last page ends a tail. */
async function events(argv: readonly string[], pages: readonly (readonly Change[])[] = []) {
  await using world = await testWorld();
  const asked: string[] = [];
  const feed: EventFeed = {
    last: (limit) => Promise.resolve([1, 2, 3].map((seq) => recordAt(seq)).slice(-limit)),
    now: () => Promise.resolve("now0"),
    changes: (since) => {
      asked.push(since);
      if (asked.length >= pages.length && argv.includes("--tail")) world.signal("SIGINT");
      const isEnd = asked.length >= pages.length;
      return Promise.resolve({ entries: pages[asked.length - 1] ?? [], token: `t${asked.length}`, isEnd });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const loadEvents = () => Promise.resolve({ openEvents: () => Promise.resolve(feed) });
  const exitCode = await main(world.context(["events", ...argv], { loadEvents }));
  return { exitCode, stdout: world.stdout(), stderr: world.stderr(), asked };
}

const changeAt = (seq: number, different: Partial<AppliedRecord> = {}): Change => ({
  kind: "record",
  ...recordAt(seq, different),
});

it("shows the last ones, escaped", async () => {
  const { exitCode, stdout } = await events(["--lines", "2"]);
  expect(exitCode).toBe(0);
  expect(stdout.split("\n")).toEqual([
    '2026-01-02 03:04:05 2 app.bsky.feed.post at://did:plc:alice/key2 {"text": "hello"}',
    '2026-01-02 03:04:05 3 app.bsky.feed.post at://did:plc:alice/key3 {"text": "hello"}',
    "",
  ]);
});

it("follows from there, deletions included, until Ctrl-C", async () => {
  const gone = changeAt(7, { isDeleted: true, record: null, rkey: "x\u001b[2J" });
  const { exitCode, stdout, asked } = await events(["--tail", "--lines", "0"], [[changeAt(5)], [gone]]);
  expect(exitCode).toBe(130);
  expect(asked).toEqual(["now0", "t1"]);
  expect(stdout).toContain("at://did:plc:alice/x\\u001b[2J deleted");
  expect(stdout.split("\n")).toHaveLength(3);
});

it("for scripts; and refuses what is no number", async () => {
  const { stdout } = await events(["--json", "--lines", "1"]);
  expect(JSON.parse(stdout)).toEqual({
    ...recordAt(3),
    uri: "at://did:plc:alice/app.bsky.feed.post/key3",
    record: { text: "hello" },
  });
  expect((await events(["--lines", "-3"])).exitCode).toBe(2);
});

it.each([
  ["a number that JavaScript cannot hold", '{"n": 9007199254740993}', '"record":{"n": 9007199254740993}}'],
  ["text that looks like JSON", '{"text": "{\\"a\\": 1}\\n"}', '"record":{"text": "{\\"a\\": 1}\\n"}}'],
  ["a deletion", null, '"cid":null,"isDeleted":true,"record":null}'],
])("fault 34: a record of --json is JSON, with uri, cid and rev: %s", async (_name, record, end) => {
  const isDeleted = record === null;
  const one = changeAt(5, { record, ...(isDeleted ? { isDeleted, cid: null } : {}) });
  const { stdout } = await events(["--json", "--tail", "--lines", "0"], [[one]]);
  expect(stdout.endsWith(`${end}\n`)).toBe(true);
  expect(JSON.parse(stdout)).toMatchObject({ uri: "at://did:plc:alice/app.bsky.feed.post/key5", rev: "3l3qo2vuowo2b" });
});

it("issue 17.9: events --since: what changed, each page with the token to go on from", async () => {
  const account: Change = { kind: "account", did: "did:plc:bob", active: false, status: "suspended", handle: null };
  const pages = [[{ kind: "purge", did: "did:plc:bob" } as const, account], [changeAt(7, { seq: null })]];
  const { stdout, asked } = await events(["--since", "t0", "--json"], pages);
  expect(asked).toEqual(["t0", "t1"]);
  expect(
    stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { kind: "purge", did: "did:plc:bob" },
    account,
    { kind: "token", token: "t1" },
    {
      ...recordAt(7, { seq: null }),
      kind: "record",
      uri: "at://did:plc:alice/app.bsky.feed.post/key7",
      record: { text: "hello" },
    },
    { kind: "token", token: "t2" },
  ]);
  const forPeople = await events(["--since", "t0"], pages);
  expect(forPeople.stdout.split("\n")).toEqual([
    "account did:plc:bob deleted: all its rows are removed",
    "account did:plc:bob inactive (suspended)",
    '2026-01-02 03:04:05 - app.bsky.feed.post at://did:plc:alice/key7 {"text": "hello"}',
    "",
  ]);
  expect(forPeople.stderr).toContain("events --since 't2'");
});

it("issue 17.9: events --since now gives the token alone, and goes on from it with --tail", async () => {
  expect((await events(["--since", "now"])).stdout).toBe("now0\n");
  const { asked, exitCode, stdout } = await events(["--since", "now", "--tail", "--json"], [[], [changeAt(9)]]);
  expect(asked).toEqual(["now0", "t1"]);
  expect(exitCode).toBe(130);
  expect(stdout.trim().split("\n")).toHaveLength(2);
  expect((await events(["--since", "now", "--lines", "3"])).exitCode).toBe(2);
});
