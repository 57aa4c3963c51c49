import { rangeEvents, recordEvent } from "@firehose-backfill/testing/queue/batches";
import { describe, expect, test } from "vitest";
import { toRow, toRows } from "./to-rows.ts";

const NOW = Date.UTC(2026, 10, 24);

/** The revision of a moment: microseconds in base 32, and a clock's id. */
function revAt(ms: number): string {
  const letters = "234567abcdefghijklmnopqrstuvwxyz";
  let micros = BigInt(ms) * 1000n;
  let text = "";
  for (let n = 0; n < 11; n += 1) {
    text = (letters[Number(micros % 32n)] ?? "") + text;
    micros /= 32n;
  }
  return `${text}2a`;
}

describe("fault 3: a revision from long after now", () => {
  const deletion = (rev: string) => recordEvent(1, { action: "delete", cid: null, record: null, rev });

  test.each([
    ["a minute ahead", revAt(NOW + 60_000), "record"],
    ["five minutes ahead", revAt(NOW + 300_000), "record"],
    ["six minutes ahead", revAt(NOW + 360_000), "dead"],
    ["in the year 2200", revAt(Date.UTC(2200, 0, 1)), "dead"],
    ["the last of all", "jzzzzzzzzzzzz", "dead"],
    ["of the past", revAt(NOW - 1e9), "record"],
  ])("%s (%s): kind %s", (_name, rev, kind) => {
    expect(toRow(deletion(rev), "hash", NOW).kind).toBe(kind);
  });

  test("is dead with its reason, and kept whole, so that a redrive applies it in its time", () => {
    const event = deletion(revAt(NOW + 3_600_000));
    expect(toRow(event, "hash", NOW)).toMatchObject({
      kind: "dead",
      reason: "rev-ahead",
      path: "app.bsky.feed.post/3jt7ryzvq2c2s",
      error: expect.stringMatching(/2026-11-24T01:00:00.*redrive/),
      event,
    });
    expect(toRow(event, "hash", NOW + 3_600_000).kind).toBe("record");
  });

  test("of a sync marker, too: it would freeze the revision of its repo", () => {
    const sync = { kind: "sync", seq: 1, timeMs: NOW, did: "did:plc:a", rev: revAt(NOW + 1e9) } as const;
    expect(toRow(sync, "hash", NOW)).toMatchObject({ kind: "dead", reason: "rev-ahead", event: sync });
    expect(toRow({ ...sync, rev: revAt(NOW) }, "hash", NOW).kind).toBe("sync");
  });
});

describe("issue 15.3: a range of a repository", () => {
  const of = (rev: string) => rangeEvents(["a", "b"], { rev, timeMs: NOW }, { record: null, cid: null });

  test("names all of its records, also those that are dead; they have no place in a stream", () => {
    const [range, a, b] = of(revAt(NOW));
    const alive = { ...recordEvent(0, { rkey: "a", rev: range.rev }), record: Buffer.from([0xa0]) };
    if (a === undefined || b === undefined) throw new Error("no records");
    expect(toRows([range, alive, b], "structure", NOW)).toMatchObject([
      {
        kind: "range",
        did: range.did,
        rev: range.rev,
        timeMs: NOW,
        collection: "app.bsky.feed.post",
        from: "app.bsky.feed.post/",
        to: "app.bsky.feed.post0",
        sinceTid: null,
        keys: ["app.bsky.feed.post/a", "app.bsky.feed.post/b"],
      },
      { kind: "record", rkey: "a", seq: null, json: "{}" },
      { kind: "dead", path: "app.bsky.feed.post/b", reason: "missing-block", event: b },
    ]);
    expect(toRows([alive, recordEvent(7, { action: "delete" })], "structure")).toMatchObject([
      { seq: null },
      { seq: 7 },
    ]);
  });

  test("of a revision that is not believed nothing is applied: its records are dead, and nothing is removed", () => {
    const ahead = of(revAt(NOW + 3_600_000));
    expect(toRows(ahead, "hash", NOW).map((row) => row.kind === "dead" && row.reason)).toEqual([
      "rev-ahead",
      "rev-ahead",
    ]);
    const [empty] = rangeEvents([], { rev: revAt(NOW + 3_600_000) });
    const [dead, ...others] = toRows([empty], "hash", NOW);
    expect(others).toEqual([]);
    expect(dead).toMatchObject({ kind: "dead", reason: "rev-ahead", did: empty.did });
    expect(dead).not.toHaveProperty("event");
  });

  test("is refused where its records are not those that follow it", () => {
    expect(() => toRows(of(revAt(NOW)).slice(0, 2), "hash", NOW)).toThrow("announces 2 records");
  });
});
