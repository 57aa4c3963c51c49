/** `events`: what it shows, and that it continues where it was. */
import type { AppliedRecord, EventFeed } from "@firehose-backfill/server/event-feed";
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

/** Returns the last three records, then one result for each poll; the last poll ends the command. */
async function events(argv: readonly string[], looks: readonly (readonly AppliedRecord[])[] = []) {
  await using world = await testWorld();
  const asked: number[] = [];
  const feed: EventFeed = {
    last: (limit) => Promise.resolve([1, 2, 3].map((seq) => recordAt(seq)).slice(-limit)),
    after: (seq) => {
      asked.push(seq);
      if (asked.length >= looks.length) world.signal("SIGINT");
      return Promise.resolve(looks[asked.length - 1] ?? []);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const loadEvents = () => Promise.resolve({ openEvents: () => Promise.resolve(feed) });
  const exitCode = await main(world.context(["events", ...argv], { loadEvents }));
  return { exitCode, stdout: world.stdout(), asked };
}

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
  const gone = recordAt(7, { isDeleted: true, record: null, rkey: "x\u001b[2J" });
  const { exitCode, stdout, asked } = await events(["--tail", "--lines", "0"], [[recordAt(5)], [gone]]);
  expect(exitCode).toBe(130);
  expect(asked).toEqual([3, 5]);
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
  const one = recordAt(5, { record, ...(isDeleted ? { isDeleted, cid: null } : {}) });
  const { stdout } = await events(["--json", "--tail", "--lines", "0"], [[one]]);
  expect(stdout.endsWith(`${end}\n`)).toBe(true);
  expect(JSON.parse(stdout)).toMatchObject({ uri: "at://did:plc:alice/app.bsky.feed.post/key5", rev: "3l3qo2vuowo2b" });
});
