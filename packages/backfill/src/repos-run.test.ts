import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { describe, expect, test } from "vitest";
import { createRuns } from "./create-runs.ts";
import { parseControlEvent } from "./control-event.ts";
import { isSameScope, newRun, scopeConflicts } from "./new-run.ts";
import { configsOf } from "./repos-run.ts";
import { startConfig } from "./start-config.ts";

const DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa";
const POST = "app.bsky.feed.post";
const NOW = Date.UTC(2026, 10, 28);
const DAY_MS = 86_400_000;
const RELAY = "wss://relay.example";

const begin = (env: Readonly<Record<string, string>>, more: Partial<Parameters<typeof newRun>[1]> = {}) =>
  newRun(parseConfig({ BACKFILL_SOURCE: "repos", ...env }), { runId: "run", nowMs: NOW, ...more });

describe("a run over repositories", () => {
  test("issue 15.4: reads everything, unless days are given", () => {
    expect(begin({ BACKFILL_DIDS: DID })).toMatchObject({
      source: { kind: "repos", host: "repositories of 1 account" },
      start: { kind: "oldest" },
      scope: { source: "repos", days: -1 },
    });
    expect(begin({ BACKFILL_DIDS: DID, BACKFILL_DAYS: "-1" }).start).toEqual({ kind: "oldest" });
    expect(begin({ BACKFILL_DIDS: DID, BACKFILL_DAYS: "7" }).start).toEqual({ kind: "time", timeMs: NOW - 7 * DAY_MS });
  });

  test("issue 15.4: takes the accounts that one host or several list by collection", () => {
    const hosts = `${RELAY},wss://other.example`;
    expect(begin({ BACKFILL_COLLECTIONS: POST, RELAY_URL: hosts }).source).toEqual({
      kind: "repos",
      host: "repositories that relay.example, other.example lists",
    });
    expect(() => parseConfig({ RELAY_URL: hosts })).toThrow("RELAY_URL names several hosts");
  });

  test.each([
    ["neither accounts nor collections", {}, "43 million accounts x 600 records = 25,800,000,000 records"],
    ["a pattern", { BACKFILL_COLLECTIONS: "app.bsky.feed.*", RELAY_URL: RELAY }, "whole collections only"],
    ["no host that lists them", { BACKFILL_COLLECTIONS: POST }, "set RELAY_URL"],
  ])("issue 15.4: is refused with %s", (_name, env, message) => {
    expect(() => begin(env)).toThrow(message);
  });

  test("is refused with what only a stream has", () => {
    expect(() => begin({ BACKFILL_DIDS: DID }, { start: { kind: "seq", seq: 5 } })).toThrow("no sequence numbers");
    expect(() => begin({ BACKFILL_DIDS: DID }, { end: { kind: "time", timeMs: 5 } })).toThrow("the present only");
  });

  test("issue 15.4: a control event names the source", () => {
    const parsed = parseControlEvent({ action: "start", source: "repos", dids: [DID] });
    if (parsed.action !== "start") throw new Error("another action");
    const configure = (values: Readonly<Record<string, string>>) =>
      parseConfig({}, { overrides: [{ source: "event", values }] });
    const { settings } = startConfig({ configure, allowRelayFromEvent: false }, parsed.start);
    expect([settings.source, settings.dids]).toEqual(["repos", [DID]]);
  });

  test("issue 15.4: both is two runs, the relay's first; one that the store does not take beside it is said", async () => {
    const config = parseConfig({ BACKFILL_SOURCE: "both", BACKFILL_DIDS: DID, RELAY_URL: RELAY });
    const runs = configsOf(config).map((each, index) => newRun(each, { runId: `run-${index}`, nowMs: NOW }));
    expect(runs.map(({ source, scope }) => [source.kind, scope.source])).toEqual([
      ["relay", "relay"],
      ["repos", "repos"],
    ]);
    const many: string[] = [];
    const store = createMemoryStore();
    const takesAll = { createRun: (each: (typeof runs)[number]) => (many.push(each.runId), store.createRun(each)) };
    const { run, beside } = await createRuns({ store: takesAll }, runs);
    expect([run.runId, many]).toEqual(["run-0", ["run-0", "run-1"]]);
    expect(beside.note).toBe("; run run-1, on repositories of 1 account, is enqueued");
    expect((await store.openRuns()).map(({ source }) => source.kind).toSorted()).toEqual(["relay", "repos"]);
    // The same start again: neither is taken twice, and the second one says why.
    const again = await createRuns(
      { store: { createRun: (each) => store.createRun({ ...each, runId: `${each.runId}-b` }) } },
      [{ ...(runs[0] ?? begin({ BACKFILL_DIDS: DID })), about: "other" }, ...runs.slice(1)],
    );
    expect(again.beside.note).toContain("could not begin beside it");
  });

  test("runs of before there was a choice are a relay's, and both goes on with either", () => {
    const { source: _source, ...scope } = parseConfig({ RELAY_URL: RELAY }).settings;
    expect(isSameScope(scope, parseConfig({ RELAY_URL: RELAY }))).toBe(true);
    const both = parseConfig({ RELAY_URL: RELAY, BACKFILL_SOURCE: "both" });
    expect(scopeConflicts(scope, both)).toEqual([]);
    const repos = parseConfig({ RELAY_URL: RELAY, BACKFILL_SOURCE: "repos" });
    expect(scopeConflicts(scope, repos)).toEqual([{ key: "source", ofRun: "relay", given: "repos" }]);
  });
});
