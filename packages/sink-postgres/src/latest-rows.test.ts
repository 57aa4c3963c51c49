import { describe, expect, test } from "vitest";
import { latestRows } from "./latest-rows.ts";
import { accountRow, identityRow, recordRow, revOf, syncRow } from "@firehose-backfill/testing/sink/rows";

describe("the latest rows of a batch", () => {
  test("of a record's operations the newest revision stays, whatever came last", () => {
    const old = recordRow(1, { rkey: "r" });
    const young = recordRow(2, { rkey: "r", action: "update" });
    expect(latestRows([young, old]).records).toEqual([young]);
  });

  test("of two operations of one commit on one path the same one stays, whichever comes first", () => {
    const gone = recordRow(1, { rkey: "r", action: "delete" });
    const back = recordRow(1, { rkey: "r" });
    expect(latestRows([gone, back]).records).toEqual([back]);
    expect(latestRows([back, gone]).records).toEqual([back]);
  });

  test("two different keys are never joined to the same text", () => {
    const rows = [recordRow(1, { collection: "a.b", rkey: "c" }), recordRow(2, { collection: "a", rkey: "b.c" })];
    expect(latestRows(rows).records).toHaveLength(2);
  });

  test("every list is sorted by its key", () => {
    const rows = [
      recordRow(1, { did: "did:b", rkey: "a" }),
      recordRow(2, { did: "did:a", rkey: "z" }),
      recordRow(3, { did: "did:a", rkey: "b" }),
    ];
    const latest = latestRows(rows);
    expect(latest.repos.map(({ did }) => did)).toEqual(["did:a", "did:b"]);
    expect(latest.records.map(({ did, rkey }) => `${did}/${rkey}`)).toEqual(["did:a/b", "did:a/z", "did:b/a"]);
  });

  test("a repo is named for every kind of row, with the newest revision of its records", () => {
    const rows = [
      recordRow(2, { did: "did:a" }),
      recordRow(1, { did: "did:a", rkey: "other" }),
      syncRow(9, { did: "did:a" }),
      identityRow(3, { did: "did:b" }),
      accountRow(4, { did: "did:c" }),
    ];
    expect(latestRows(rows).repos).toEqual([
      { did: "did:a", rev: revOf(2) },
      { did: "did:b", rev: null },
      { did: "did:c", rev: null },
    ]);
  });

  test("a deletion is kept beside the newer marker that undoes it", () => {
    const deleted = accountRow(1, { active: false, status: "deleted" });
    const back = accountRow(2);
    const latest = latestRows([back, deleted]);
    expect(latest.accounts).toEqual([back]);
    expect(latest.purges).toEqual([deleted]);
  });

  test.each([
    ["taken down", { active: false, status: "takendown" }],
    ["said to be active", { active: true, status: "deleted" }],
  ])("an account that is %s is not purged", (_name, fields) => {
    expect(latestRows([accountRow(1, fields)]).purges).toEqual([]);
  });

  test("markers of one time are told apart by their sequence number", () => {
    const first = identityRow(1, { handle: "a", timeMs: 5 });
    const second = identityRow(2, { handle: "b", timeMs: 5 });
    expect(latestRows([second, first]).identities).toEqual([second]);
  });

  test("an identity without a handle says nothing about the handle", () => {
    const latest = latestRows([identityRow(2, { handle: null }), identityRow(1)]);
    expect(latest.identities).toEqual([identityRow(1)]);
    expect(latest.identitiesWithoutHandle).toBe(1);
  });
});
