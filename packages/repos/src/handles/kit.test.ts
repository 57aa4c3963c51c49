/** Handles of accounts against a directory and domains on loopback: what is found, what is marked, and how a run gets to its end. */
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import { systemClock } from "@firehose-backfill/core/clock";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { loopbackNames, startServer } from "@firehose-backfill/testing/repos/http-server";
import {
  newStoredRun,
  readAll,
  type StoredRun,
  tick,
  type TickOptions,
} from "@firehose-backfill/testing/repos/reading";
import { makeRepo } from "@firehose-backfill/testing/repos/test-repo";
import { expect, test } from "vitest";
import { handlesKit, type HandlesKitOptions } from "./kit.ts";

const didOf = (letter: string): string => `did:plc:${letter.repeat(24)}`;
const OPTIONS: TickOptions = { env: { BACKFILL_SOURCE: "handles" } };
const { key } = makeRepo({}).signer;

/** Domains on one server, by their first label: what each answers, or nothing. And a database that takes what is applied. */
async function network(accounts: Readonly<Record<string, readonly string[] | null>>) {
  const plc = await startFakePlc();
  const answers = new Map<string, string>();
  const texts = new Map<string, readonly (readonly string[])[]>();
  const domains = await startServer((request, response) => {
    const name = decodeURIComponent((request.headers.host ?? "").split(".")[0] ?? "");
    const answer = answers.get(name);
    if (answer === "(breaks)") request.socket.destroy();
    else if (answer === "(redirects)") response.writeHead(302, { location: "http://localhost:1/" }).end();
    else response.writeHead(answer === undefined ? 404 : 200).end(answer);
  });
  for (const [letter, names] of Object.entries(accounts))
    if (names !== null) plc.accounts.set(didOf(letter), { pds: "https://pds.example.com", key, names });
  const waiting = new Set(Object.keys(accounts).map(didOf));
  let others = 0;
  const newKit = (hostRate = 10_000, different: Partial<HandlesKitOptions> = {}) =>
    handlesKit({
      clock: systemClock,
      random: () => 0,
      userAgent: "test/1",
      resolveName: loopbackNames,
      resolveTexts: async (name) => texts.get(name) ?? [],
      plcUrl: plc.origin,
      hostRate,
      listHandles: async (after, limit) =>
        [...waiting]
          .filter((did) => did > after)
          .toSorted()
          .slice(0, limit),
      hasOthers: async () => others > 0,
      originOf: (handle) => `http://${handle.split(".")[0]}.localhost:${domains.port}`,
      ...different,
    });
  /** As the database does once a batch is applied. */
  const apply = (run: StoredRun, events: readonly FirehoseEvent[]): void => {
    for (const { did } of events) waiting.delete(did ?? "");
    run.applied = run.cursor;
  };
  return {
    plc,
    domains,
    answers,
    texts,
    waiting,
    kit: newKit(),
    newKit,
    apply,
    setOthers: (count: number) => void (others = count),
    async [Symbol.asyncDispose]() {
      await plc[Symbol.asyncDispose]();
      await domains[Symbol.asyncDispose]();
    },
  };
}

const found = (events: readonly FirehoseEvent[]) =>
  events.flatMap((event) => (event.kind === "identity" ? [[event.did.at(-1), event.handle, event.check]] : []));

test("issue 17.7: a handle is looked up in the document and checked at its domain, by DNS or by HTTP", async () => {
  await using net = await network({
    a: ["at://alice.example.com"],
    b: ["at://Bob.Example.com", "https://bob.example.com"],
    c: ["https://no-handle.example.com"],
  });
  net.answers.set("alice", `${didOf("a")}\n`);
  net.texts.set("_atproto.bob.example.com", [["v=spf1 -all"], ["did=did:plc:", "b".repeat(24)]]);
  const read = await readAll(net.kit, newStoredRun(), OPTIONS);
  expect(found(read.events)).toEqual([
    ["a", "alice.example.com", "verified"],
    ["b", "bob.example.com", "verified"],
    ["c", null, "none"],
  ]);
  expect(read.events[0]).toMatchObject({ kind: "identity", seq: 0 });
  // DNS has answered for b, so its server is not asked.
  expect(net.domains.asked).toEqual(["/.well-known/atproto-did"]);
  expect(read.windows.at(-1)).toMatchObject({
    verdict: { kind: "end" },
    progress: { known: 3, done: 3, failed: 0, isComplete: true },
  });
});

test("issue 17.7: a dead host, a handle of another account, an invalid one, a document that is gone: each is marked", async () => {
  await using net = await network({
    a: ["at://alice.example.com"],
    b: ["at://bob.example.com"],
    c: ["at://not_a_handle"],
    d: null,
    e: ["at://eve.example.com"],
    f: ["at://fay.example.com"],
    g: ["at://gus.example.com"],
    h: ["at://hal.example.com"],
  });
  net.answers.set("hal", "(redirects)");
  net.answers.set("alice", "(breaks)");
  net.answers.set("bob", didOf("x"));
  net.answers.set("eve", "<html>welcome</html>");
  net.answers.set("fay", "x".repeat(100_000));
  net.texts.set("_atproto.gus.example.com", [[`did=${didOf("g")}`], [`did=${didOf("x")}`]]);
  const { events } = await readAll(net.kit, newStoredRun(), OPTIONS);
  expect(found(events)).toEqual([
    ["a", "alice.example.com", "unreachable"],
    ["b", "bob.example.com", "elsewhere"],
    ["c", null, "none"],
    ["d", null, "gone"],
    ["e", "eve.example.com", "unreachable"],
    ["f", "fay.example.com", "unreachable"],
    // Two records that disagree count as none, and its server does not know it.
    ["g", "gus.example.com", "unreachable"],
    ["h", "hal.example.com", "unreachable"],
  ]);
});

test("issue 17.7: a directory that is down ends the tick and loses nothing; the next tick goes on where it was", async () => {
  await using net = await network({ a: [], b: [], c: [], d: [] });
  const run = newStoredRun();
  const first = await tick(net.kit, run, { ...OPTIONS, limits: { maxEvents: 2 }, windows: 1 });
  expect(first.windows.at(-1)?.verdict).toEqual({ kind: "more", isFull: true });
  net.plc.isDown = true;
  const second = await tick(net.kit, run, OPTIONS);
  expect(second.events).toEqual([]);
  expect(second.windows.at(-1)?.verdict).toMatchObject({ kind: "retry", reason: expect.stringContaining("HTTP 503") });
  net.plc.isDown = false;
  // What an interrupted tick has stored as text is all that another process needs.
  const third = await tick(net.newKit(), { ...run }, OPTIONS);
  expect([first, third].map(({ events }) => found(events).map(([letter]) => letter))).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
});

test("issue 17.7: while other runs are open the run waits for their accounts, and looks nobody up twice", async () => {
  await using net = await network({ a: [], b: [] });
  net.setOthers(1);
  const run = newStoredRun();
  const first = await tick(net.kit, run, OPTIONS);
  expect(first.events).toHaveLength(2);
  expect(first.windows.at(-1)?.verdict).toMatchObject({ kind: "wait", reason: expect.stringContaining("other runs") });
  // Nothing is applied yet: the list still has both.
  const second = await tick(net.kit, run, OPTIONS);
  expect(second.events).toEqual([]);
  expect(second.windows.at(-1)?.verdict).toMatchObject({ kind: "wait", reason: expect.stringContaining("2 handles") });
  net.apply(run, first.events);
  net.waiting.add(didOf("c"));
  net.plc.accounts.set(didOf("c"), { pds: "https://pds.example.com", key, names: [] });
  expect(found((await tick(net.kit, run, OPTIONS)).events)).toEqual([["c", null, "none"]]);
  run.applied = run.cursor;
  net.waiting.clear();
  net.setOthers(0);
  expect((await tick(net.kit, run, OPTIONS)).windows.at(-1)?.verdict.kind).toBe("end");
});

test("issue 17.7: while other runs are open an empty list is asked for once a minute, because without an index each look reads all accounts", async () => {
  await using net = await network({});
  net.setOthers(1);
  let asked = 0;
  let nowMs = Date.parse("2026-11-28T12:00:00Z");
  const kit = net.newKit(10_000, {
    clock: { ...systemClock, now: () => nowMs },
    listHandles: async () => {
      asked += 1;
      return [];
    },
  });
  const run = newStoredRun();
  const wait = { kind: "wait", reason: "all accounts so far are looked up; the other runs may bring more" };
  for (let ticks = 0; ticks < 24; ticks++) {
    expect((await tick(kit, run, OPTIONS)).windows.at(-1)?.verdict).toEqual(wait);
    nowMs += 5_000;
  }
  expect(asked).toBe(2);
  // The last pass does not wait.
  net.setOthers(0);
  expect((await tick(kit, run, OPTIONS)).windows.at(-1)?.verdict.kind).toBe("end");
  expect(asked).toBe(3);
});

test("issue 17.7: look-ups whose batches were lost are listed again, because the database does not have them", async () => {
  await using net = await network({ a: [], b: [] });
  const run = newStoredRun();
  await tick(net.kit, run, { ...OPTIONS, limits: { maxEvents: 1 }, windows: 1 });
  Object.assign(run, { cursor: null, applied: null, isMoved: true });
  expect(found((await readAll(net.kit, run, OPTIONS)).events).map(([letter]) => letter)).toEqual(["a", "b"]);
});

test("issue 17.7: a domain that hangs does not hold the window longer than it may take", async () => {
  await using net = await network({ a: ["at://alice.example.com"] });
  await using hanging = await startServer(() => {});
  const kit = handlesKit({
    clock: systemClock,
    random: () => 0,
    userAgent: "test/1",
    resolveName: loopbackNames,
    resolveTexts: async () => [],
    plcUrl: net.plc.origin,
    hostRate: 10_000,
    listHandles: async (after) => [didOf("a")].filter((did) => did > after),
    hasOthers: async () => false,
    originOf: () => `http://localhost:${hanging.port}`,
  });
  const before = Date.now();
  const read = await tick(kit, newStoredRun(), { ...OPTIONS, limits: { maxMs: 300 }, windows: 1 });
  expect(Date.now() - before).toBeLessThan(3_000);
  // It is not known to be dead: it is asked again in the next window.
  expect(read.events).toEqual([]);
  expect(read.windows[0]?.verdict).toEqual({ kind: "more", isFull: false });
});

test("issue 17.7: names of this machine and of private networks are no handles where the directory is public", async () => {
  const asked: string[] = [];
  const document = (did: string, name: string) => ({ key: null, pds: null, handle: name, did });
  const { lookUpHandle } = await import("./look-up-handle.ts");
  const client = {
    get: async () => {
      asked.push("http");
      throw new Error("asked");
    },
    [Symbol.dispose]() {},
  };
  const resolveTexts = async (name: string) => {
    asked.push(name);
    return [];
  };
  const { signal } = new AbortController();
  for (const name of ["alice.localhost", "printer.local", "db.internal", "router.lan"]) {
    const resolveDid = async (did: string) => document(did, name);
    const how = { client, resolveTexts, resolveDid, rules: { allowLoopback: false } };
    expect(await lookUpHandle(didOf("a"), how, signal)).toEqual({ handle: null, check: "none" });
  }
  expect(asked).toEqual([]);
});

test("issue 17.7: the directory is asked as often as BACKFILL_HOST_RATE says, and not more often", async () => {
  const letters = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
  await using net = await network(Object.fromEntries(letters.map((letter) => [letter, []])));
  const atMs: number[] = [];
  net.plc.onAsked = () => void atMs.push(performance.now());
  const kit = net.newKit(20);
  expect((await readAll(kit, newStoredRun(), OPTIONS)).events).toHaveLength(letters.length);
  expect(atMs).toHaveLength(letters.length);
  // Eight gaps of 50 ms; a clock of this machine may be a little off.
  expect((atMs.at(-1) ?? 0) - (atMs[0] ?? 0)).toBeGreaterThan(8 * 50 * 0.9);
});
