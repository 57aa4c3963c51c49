import { systemClock } from "@firehose-backfill/core/clock";
import type { FirehoseEvent, RangeEvent } from "@firehose-backfill/core/event";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { newStoredRun, readAll, testKit, tick } from "@firehose-backfill/testing/repos/reading";
import { type Manners, type SimulatedHost, simulatedHosts } from "@firehose-backfill/testing/repos/simulated-hosts";
import { memoryItems } from "@firehose-backfill/testing/source/memory-items";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { makeRepo, manyRecords, type TestRepo, tidOf } from "@firehose-backfill/testing/repos/test-repo";
import { describe, expect, test } from "vitest";

const POST = "app.bsky.feed.post";
const LIKE = "app.bsky.feed.like";

const didOf = (index: number): string =>
  `did:plc:${String(index)
    .replace(/\d/g, (digit) => "abcdefghij"[Number(digit)] ?? "a")
    .padStart(24, "z")}`;

function repoOf(index: number, records: number): TestRepo {
  return makeRepo(manyRecords(records, [POST, LIKE]), { did: didOf(index) });
}

/** Everything on one host. */
async function network(repos: readonly TestRepo[]) {
  const plc = await startFakePlc();
  const pds = await startFakePds(repos);
  for (const repo of repos) plc.put(repo, pds.origin);
  return {
    plc,
    pds,
    dids: repos.map(({ did }) => did).join(","),
    async [Symbol.asyncDispose]() {
      await plc[Symbol.asyncDispose]();
      await pds[Symbol.asyncDispose]();
    },
  };
}

/** What is said of a repository. */
function contentOf(events: readonly FirehoseEvent[], did: string): { keys: string[]; ranges: RangeEvent[] } {
  const keys: string[] = [];
  const ranges: RangeEvent[] = [];
  for (const event of events) {
    if (event.did !== did) continue;
    if (event.kind === "range") ranges.push(event);
    if (event.kind === "record") keys.push(`${event.collection}/${event.rkey}`);
  }
  return { keys, ranges };
}

describe("repositories as a source", () => {
  test.each([10, 3_000])(
    "issue 15.2: a repository of %i records comes whole, in ranges that touch, and the run ends",
    async (count) => {
      const repo = repoOf(1, count);
      await using net = await network([repo]);
      const run = newStoredRun();
      const { events, windows } = await readAll(testKit({ plcUrl: net.plc.origin }), run, {
        env: { BACKFILL_DIDS: net.dids },
      });
      const { keys, ranges } = contentOf(events, repo.did);
      expect(keys).toEqual(repo.records.map(({ key }) => key));
      expect(ranges.slice(1).map(({ from }) => from)).toEqual(ranges.slice(0, -1).map(({ to }) => to));
      expect(ranges.reduce((sum, range) => sum + range.records, 0)).toBe(count);
      expect(Math.max(...ranges.map(({ records }) => records))).toBeLessThanOrEqual(50);
      expect(windows.at(-1)?.verdict).toEqual({ kind: "end", word: "all repositories are read" });
      expect(windows.at(-1)?.progress).toEqual({
        known: 1,
        done: 1,
        inWork: 0,
        deferred: 0,
        failed: 0,
        isComplete: true,
        current: null,
      });
      expect(run.cursor?.ordinal).toBe(ranges.length);
      expect(windows.reduce((sum, { received }) => sum + received, 0)).toBe(count);
    },
  );
});

describe("a run over repositories, tick by tick", () => {
  test("issue 15.7: says of the repository in work where it is and how much of it is read, also in another process", async () => {
    const repo = repoOf(1, 1_000);
    await using net = await network([repo]);
    const items = memoryItems();
    const run = newStoredRun();
    const inProcess = () => testKit({ plcUrl: net.plc.origin, items });
    const limits = { maxEvents: 100 };
    const first = await tick(inProcess(), run, { env: { BACKFILL_DIDS: net.dids }, limits, windows: 1 });
    const second = await tick(inProcess(), run, { env: { BACKFILL_DIDS: net.dids }, limits, windows: 1 });
    const keys = contentOf([...first.events, ...second.events], repo.did).keys;
    const current = second.windows.at(-1)?.progress?.current;
    expect(keys.length).toBeGreaterThan(100);
    expect(current).toMatchObject({ did: repo.did, records: keys.length });
    expect(current?.key).toBe(contentOf(second.events, repo.did).ranges.at(-1)?.to);
    // Estimated from a dozen keys.
    expect(current?.estimated).toBeGreaterThan(300);
    expect(current?.estimated).toBeLessThan(3_000);
  });

  test("issue 15.2: goes on at its keys in another process, and says each record once", async () => {
    const repos = [repoOf(1, 300), repoOf(2, 40), repoOf(3, 0)];
    await using net = await network(repos);
    const items = memoryItems();
    const run = newStoredRun();
    const events: FirehoseEvent[] = [];
    for (let count = 0; run.cursor === null || count < 40; count++) {
      const kit = testKit({ plcUrl: net.plc.origin, items });
      const read = await tick(kit, run, {
        env: { BACKFILL_DIDS: net.dids },
        limits: { maxEvents: 25, maxRange: 10 },
        windows: 1,
      });
      events.push(...read.events);
      if (read.windows[0]?.verdict.kind === "end") break;
    }
    for (const repo of repos) {
      const { keys, ranges } = contentOf(events, repo.did);
      expect(keys).toEqual(repo.records.map(({ key }) => key));
      expect(ranges.slice(1).map(({ from }) => from)).toEqual(ranges.slice(0, -1).map(({ to }) => to));
    }
  });

  test("issue 15.2: a repository that is written to meanwhile is read on at its key, at its new revision", async () => {
    const repo = repoOf(1, 100);
    await using net = await network([repo]);
    const run = newStoredRun();
    const env = { BACKFILL_DIDS: net.dids };
    const kit = testKit({ plcUrl: net.plc.origin });
    const first = await tick(kit, run, { env, limits: { maxEvents: 30, maxRange: 10 }, windows: 1 });
    const newer = makeRepo(manyRecords(100, [POST, LIKE]), {
      did: repo.did,
      rev: tidOf(Date.now() - 1_000),
      signer: repo.signer,
    });
    net.pds.repos.set(repo.did, newer);
    const rest = await readAll(kit, run, { env });
    const ranges = contentOf([...first.events, ...rest.events], repo.did).ranges;
    expect(new Set(ranges.map(({ rev }) => rev))).toEqual(new Set([repo.rev, newer.rev]));
  });

  test.each(["getRecord", "getLatestCommit", "getBlocks", "getRepo"])(
    "issue 15.2: a commit that moves on after the first %s is taken at once, and nothing is put off",
    async (method) => {
      const repo = repoOf(1, 700);
      await using net = await network([repo]);
      const newer = makeRepo(
        Object.fromEntries(repo.records.map(({ key }, index) => [key, { text: `another ${index}` }])),
        { did: repo.did, rev: tidOf(Date.now() - 1_000), signer: repo.signer },
      );
      net.pds.intercept = (request, response) => {
        // Some hosts prove nothing of a key that is not there, and say their latest commit.
        if (method === "getLatestCommit" && request.url?.includes(".getRecord?") === true)
          return (response.writeHead(501).end("{}"), true);
        if (request.url?.includes(`.${method}?`) !== true) return false;
        // After this answer: the blocks of before are gone.
        response.once("finish", () => net.pds.repos.set(repo.did, newer));
        return false;
      };
      const { events, windows } = await readAll(testKit({ plcUrl: net.plc.origin }), newStoredRun(), {
        env: { BACKFILL_DIDS: net.dids },
      });
      expect(contentOf(events, repo.did).keys).toEqual(repo.records.map(({ key }) => key));
      expect(windows.map(({ verdict }) => verdict.kind)).not.toContain("wait");
      expect(windows.every(({ progress }) => progress?.deferred === 0)).toBe(true);
    },
  );

  test("invariant 2: going back to the applied cursor takes up what was deferred and in work there", async () => {
    const repos = [repoOf(1, 120), repoOf(2, 120)];
    await using net = await network(repos);
    const run = newStoredRun();
    const options = { env: { BACKFILL_DIDS: net.dids }, limits: { maxEvents: 30, maxRange: 10 } };
    const kit = testKit({ plcUrl: net.plc.origin });
    const before = await tick(kit, run, { ...options, windows: 2 });
    const applied = run.cursor;
    // The second host's answer puts its repository off, which is then taken up and read; all of that is lost.
    const lost = await readAll(kit, run, options);
    expect(lost.events.length).toBeGreaterThan(0);
    Object.assign(run, { cursor: applied, applied, isMoved: true });
    const again = await readAll(kit, run, options);
    for (const repo of repos) {
      const keys = contentOf([...before.events, ...again.events], repo.did).keys;
      expect(keys).toEqual(repo.records.map(({ key }) => key));
    }
    expect(again.windows.at(-1)?.progress).toMatchObject({ done: 2, inWork: 0, deferred: 0 });
  });

  test("a run without a repository at all ends at a cursor", async () => {
    await using net = await network([]);
    await using relay = await startFakePds([]);
    relay.intercept = (_, response) => (response.end(JSON.stringify({ repos: [] })), true);
    const run = newStoredRun();
    const env = { BACKFILL_COLLECTIONS: POST, RELAY_URL: relay.origin.replace("http", "ws") };
    const { windows } = await readAll(testKit({ plcUrl: net.plc.origin }), run, { env });
    expect(windows.at(-1)).toMatchObject({ to: { ordinal: 0 }, verdict: { kind: "end" } });
  });

  test("issue 15.4: what several hosts list is united, and each repository comes once", async () => {
    const repos = [repoOf(1, 5), repoOf(2, 5), repoOf(3, 5)];
    await using net = await network(repos);
    const list = async (dids: readonly string[]) => {
      const server = await startFakePds([]);
      server.intercept = (_, response) => (response.end(JSON.stringify({ repos: dids.map((did) => ({ did })) })), true);
      return server;
    };
    await using first = await list([didOf(1), didOf(2)]);
    await using second = await list([didOf(2), didOf(3)]);
    const env = {
      BACKFILL_COLLECTIONS: `${POST},${LIKE}`,
      RELAY_URL: [first, second].map(({ origin }) => origin.replace("http", "ws")).join(","),
    };
    const { events, windows } = await readAll(testKit({ plcUrl: net.plc.origin }), newStoredRun(), { env });
    for (const { did, records } of repos) expect(contentOf(events, did).keys).toHaveLength(records.length);
    expect(windows.at(-1)?.progress).toMatchObject({ known: 3, done: 3, isComplete: true });
  });

  test("issue 15.4: days leave out record keys of before, and keys without a time never", async () => {
    const cutMs = Date.UTC(2026, 0, 1);
    const records = {
      [`${POST}/${tidOf(cutMs - 60_000)}`]: { text: "old" },
      [`${POST}/${tidOf(cutMs + 60_000)}`]: { text: "new" },
      "app.bsky.actor.profile/self": { name: "a" },
    };
    const repo = makeRepo(records, { did: didOf(1) });
    await using net = await network([repo]);
    const { events } = await readAll(testKit({ plcUrl: net.plc.origin }), newStoredRun(), {
      env: { BACKFILL_DIDS: net.dids },
      open: { start: { kind: "time", timeMs: cutMs } },
    });
    const { keys, ranges } = contentOf(events, repo.did);
    expect(keys).toEqual(["app.bsky.actor.profile/self", `${POST}/${tidOf(cutMs + 60_000)}`]);
    expect(new Set(ranges.map(({ sinceTid }) => sinceTid))).toEqual(new Set([tidOf(cutMs)]));
  });
});

describe("hosts that have trouble", () => {
  const env = (repos: readonly TestRepo[]) => ({ BACKFILL_DIDS: repos.map(({ did }) => did).join(",") });

  test.each([
    ["with Retry-After", { "retry-after": "120" }, 120_000, 120_000],
    ["without any header", {}, 60_000, 75_000],
  ])(
    "issue 15.5: a 429 %s puts the host's repositories off, others are read, and a new process keeps to it",
    async (_name, headers, least, most) => {
      const [limited, other] = [repoOf(1, 20), repoOf(2, 20)] as const;
      const repos = [limited, other];
      await using net = await network([other]);
      await using busy = await startFakePds([limited]);
      net.plc.put(limited, busy.origin);
      busy.intercept = (_, response) => (response.writeHead(429, headers).end("<html>"), true);
      const items = memoryItems();
      const run = newStoredRun();
      const kit = () => testKit({ plcUrl: net.plc.origin, items });
      const first = await tick(kit(), run, { env: env(repos) });
      expect(contentOf(first.events, other.did).keys).toHaveLength(20);
      const last = first.windows.at(-1);
      expect(last?.verdict).toEqual({ kind: "wait", reason: "1 repositories wait for their hosts" });
      expect(last?.progress).toMatchObject({ known: 2, done: 1, deferred: 1, failed: 0 });
      expect(busy.asked).toHaveLength(1);
      const stored: { waitingUntilMs: number } = JSON.parse(
        (await items.get({ group: "hosts", name: `localhost:${busy.port}` })) ?? "{}",
      );
      expect(stored.waitingUntilMs - Date.now()).toBeGreaterThan(least - 10_000);
      expect(stored.waitingUntilMs - Date.now()).toBeLessThanOrEqual(most);
      await tick(kit(), run, { env: env(repos) });
      expect(busy.asked).toHaveLength(1);
      const shown: unknown = JSON.parse((await items.get({ group: "run-1", name: "hosts" })) ?? "null");
      expect(shown).toMatchObject([
        {
          host: `localhost:${busy.port}`,
          requests: 1,
          errors: 1,
          waitingUntil: new Date(stored.waitingUntilMs).toISOString(),
        },
        { errors: 0, waitingUntil: null },
      ]);
      // Its time has come.
      busy.intercept = null;
      const later = { now: () => Date.now() + most + 1_000 };
      const done = await readAll(testKit({ plcUrl: net.plc.origin, items, clock: { ...systemClock, ...later } }), run, {
        env: env(repos),
      });
      expect(contentOf(done.events, limited.did).keys).toHaveLength(20);
      expect(done.windows.at(-1)?.progress).toMatchObject({ done: 2, deferred: 0 });
    },
  );

  test("issue 15.5: a host that is gone costs ten requests, whatever number of repositories it had, and each is a dead entry", async () => {
    const repos = [repoOf(1, 3), repoOf(2, 3), repoOf(3, 3)];
    await using net = await network(repos);
    net.pds.intercept = (request) => (request.socket.destroy(), true);
    let aheadMs = 0;
    const kit = testKit({ plcUrl: net.plc.origin, clock: { ...systemClock, now: () => Date.now() + aheadMs } });
    const run = newStoredRun();
    const events: FirehoseEvent[] = [];
    for (let count = 0; count < 60; count++) {
      const read = await tick(kit, run, { env: env(repos) });
      events.push(...read.events);
      if (read.windows.at(-1)?.verdict.kind === "end") break;
      aheadMs += 3_700_000;
    }
    expect(events.map((event) => event.kind === "dead" && [event.did, event.reason, event.path])).toEqual(
      expect.arrayContaining(repos.map(({ did }) => [did, "host-dead", null])),
    );
    expect(events).toHaveLength(3);
    expect(net.pds.asked.length).toBeLessThanOrEqual(13);
  });

  /** Ticks, one a minute, until the run is at its end. */
  async function readFor(
    hours: number,
    its: { readonly repos: readonly TestRepo[]; readonly hosts: readonly SimulatedHost[] },
  ) {
    const clock = new VirtualClock();
    const startMs = clock.now();
    const { send, askedAtMs } = simulatedHosts(clock, its.hosts);
    const kit = testKit({ plcUrl: "https://plc.directory", clock, send, hostRate: 2 });
    const run = newStoredRun();
    const events: FirehoseEvent[] = [];
    for (let minute = 0; minute < 60 * hours; minute++) {
      const read = tick(kit, run, { env: env(its.repos), open: { leftMs: 50_000 } });
      await clock.advance(60_000);
      const { events: found, windows } = await read;
      events.push(...found);
      const verdict = windows.at(-1)?.verdict.kind;
      if (verdict === "end") return { events, askedAtMs, tookHours: (clock.now() - startMs) / 3_600_000 };
    }
    throw new Error("the run does not end");
  }

  test.each<[string, Manners, number]>([
    ["a 429 without a header", { kind: "refuses", afterMs: 50 }, 13],
    ["a Retry-After of half an hour", { kind: "refuses", afterMs: 50, retryAfter: "1800" }, 13],
    ["a Retry-After of ten hours", { kind: "refuses", afterMs: 50, retryAfter: "36000" }, 1],
  ])(
    "issue 15.5: a host that answers %s for ever is given up after six hours: its repositories are dead entries that name it, and the run ends",
    async (_name, manners, most) => {
      const [refused, others] = [[repoOf(1, 5), repoOf(2, 5), repoOf(3, 5)], [repoOf(4, 20)]];
      const { events, askedAtMs, tookHours } = await readFor(8, {
        repos: [...refused, ...others],
        hosts: [
          { name: "busy.hosts.net", repos: refused, manners: () => manners },
          { name: "other.hosts.net", repos: others },
        ],
      });
      expect(contentOf(events, others[0]?.did ?? "").keys).toHaveLength(20);
      const dead = events.filter((event) => event.kind === "dead");
      expect(dead).toMatchObject(
        refused
          .map(({ did }) => ({ did, reason: "host-rate-limited", path: null }))
          .toSorted((a, b) => (a.did < b.did ? -1 : 1)),
      );
      for (const { error } of dead)
        expect(error).toMatch(/^busy\.hosts\.net:443 has refused every request for 6 hours/);
      expect(tookHours).toBeGreaterThanOrEqual(6);
      expect(tookHours).toBeLessThan(7.1);
      expect(askedAtMs.get("busy.hosts.net")?.length).toBeLessThanOrEqual(most);
    },
  );

  test.each<[string, Manners, string]>([
    ["429", { kind: "refuses", afterMs: 50 }, "host-rate-limited"],
    ["500", { kind: "refuses", afterMs: 50, status: 500 }, "host-bad-answer"],
    ["nothing", { kind: "silent" }, "host-timeout"],
  ])(
    "issue 15.5: a repository whose blocks are answered with %s for ever is given up, though its host answers everything else",
    async (_name, manners, reason) => {
      const [broken, ...others] = [repoOf(1, 3_000), repoOf(2, 20), repoOf(3, 20)] as const;
      const isBroken = (path: string) => path.includes(encodeURIComponent(broken.did)) && !path.includes(".getRecord?");
      const { events, askedAtMs, tookHours } = await readFor(8, {
        repos: [broken, ...others],
        hosts: [
          {
            name: "odd.hosts.net",
            repos: [broken, ...others],
            manners: (_count, path) => (isBroken(path) ? manners : { kind: "answers", afterMs: 50 }),
          },
        ],
      });
      for (const { did } of others) expect(contentOf(events, did).keys).toHaveLength(20);
      const dead = events.filter((event) => event.kind === "dead");
      expect(dead).toMatchObject([{ did: broken.did, reason, path: null }]);
      expect(dead[0]?.error).toMatch(/odd\.hosts\.net.*; tried 8 times$/);
      expect(tookHours).toBeGreaterThan(0.9);
      expect(tookHours).toBeLessThan(3);
      expect(askedAtMs.get("odd.hosts.net")?.length).toBeLessThan(40);
    },
  );

  test("issue 15.5: an account that has moved is read on at its new host, from its key", async () => {
    const repo = repoOf(1, 200);
    await using net = await network([repo]);
    await using elsewhere = await startFakePds([repo]);
    const run = newStoredRun();
    const kit = testKit({ plcUrl: net.plc.origin });
    const before = await tick(kit, run, { env: env([repo]), limits: { maxEvents: 60 }, windows: 1 });
    net.plc.put(repo, elsewhere.origin);
    net.pds.unavailable.set(repo.did, "RepoDeactivated");
    const after = await readAll(kit, run, { env: env([repo]) });
    expect(contentOf([...before.events, ...after.events], repo.did).keys).toEqual(repo.records.map(({ key }) => key));
    expect(after.events.some(({ kind }) => kind === "account")).toBe(false);
  });

  test("issue 15.9: a moved repository that the account has not written to since is signed with its earlier key", async () => {
    const repo = repoOf(1, 200);
    const newer = repoOf(1, 1).signer;
    await using net = await network([repo]);
    net.plc.put({ ...repo, signer: newer }, net.pds.origin);
    net.plc.earlierKeys.set(repo.did, [repoOf(2, 1).signer.key, repo.signer.key]);
    const kit = testKit({ plcUrl: net.plc.origin });
    const { events } = await readAll(kit, newStoredRun(), { env: env([repo]) });
    expect(contentOf(events, repo.did).keys).toEqual(repo.records.map(({ key }) => key));
    // A key that the account never had is none.
    net.plc.earlierKeys.set(repo.did, [repoOf(2, 1).signer.key]);
    const other = await readAll(kit, newStoredRun(), { env: env([repo]) });
    expect(other.events).toMatchObject([{ kind: "dead", did: repo.did, reason: "bad-signature" }]);
  });

  test("issue 15.5: many repositories of a host that does not answer hold up nobody, and few ticks find out that it is dead", async () => {
    const silent = Array.from({ length: 40 }, (_, index) => repoOf(100 + index, 10));
    const others = Array.from({ length: 40 }, (_, index) => repoOf(index, 10));
    const clock = new VirtualClock();
    const hosts = simulatedHosts(clock, [
      { name: "silent.hosts.net", repos: silent, manners: () => ({ kind: "silent" }) },
      { name: "other.hosts.net", repos: others },
    ]);
    const kit = testKit({ plcUrl: "https://plc.directory", clock, send: hosts.send, hostRate: 2 });
    const run = newStoredRun();
    const options = {
      env: env([...silent, ...others]),
      limits: { maxEvents: 100 },
      windows: 1,
      open: { leftMs: 50_000 },
    };
    const events: FirehoseEvent[] = [];
    const minutes: number[] = [];
    // A tick takes a hundred events, and one a minute is made.
    for (
      let minute = 0;
      minute < 120 && events.filter(({ kind }) => kind === "dead").length < silent.length;
      minute++
    ) {
      const read = tick(kit, run, options);
      await clock.advance(60_000);
      events.push(...(await read).events);
      if (contentOf(events, others.at(-1)?.did ?? "").keys.length > 0) minutes.push(minute);
    }
    // 400 records and some ranges without any.
    expect(minutes[0]).toBeLessThanOrEqual(6);
    expect(events.filter(({ kind }) => kind === "dead")).toHaveLength(40);
    expect(hosts.askedAtMs.get("silent.hosts.net")?.length).toBeLessThan(15);
  });

  test("issue 15.5: a repository of which no range comes within a tick is given up after eight ticks, with the reason", async () => {
    const repo = repoOf(1, 3_000);
    const clock = new VirtualClock();
    const manners = () => ({ kind: "answers", afterMs: 14_000 }) as const;
    const hosts = simulatedHosts(clock, [{ name: "slow.hosts.net", repos: [repo], manners }]);
    const kit = testKit({ plcUrl: "https://plc.directory", clock, send: hosts.send, hostRate: 2 });
    const run = newStoredRun();
    const events: FirehoseEvent[] = [];
    let ticks = 0;
    for (; ticks < 20 && events.length === 0; ticks++) {
      const read = tick(kit, run, { env: env([repo]), limits: { maxEvents: 20 }, windows: 5 });
      await clock.advance(60_000);
      events.push(...(await read).events);
    }
    expect(events).toMatchObject([{ kind: "dead", did: repo.did, reason: "too-slow" }]);
    expect(ticks).toBe(9);
  });

  test.each([
    ["RepoDeactivated", "deactivated"],
    ["RepoTakendown", "takendown"],
    ["RepoSuspended", "suspended"],
    ["RepoNotFound", "not-found"],
    ["NotFound", "not-found"],
  ])("issue 15.5: %s with the same host in its document is a status, and final", async (error, status) => {
    const repo = repoOf(1, 20);
    await using net = await network([repo]);
    net.pds.unavailable.set(repo.did, error);
    const run = newStoredRun();
    const { events, windows } = await readAll(testKit({ plcUrl: net.plc.origin }), run, { env: env([repo]) });
    expect(events).toMatchObject([{ kind: "account", seq: 0, did: repo.did, active: false, status }]);
    expect(windows.at(-1)?.progress).toMatchObject({ done: 1, failed: 0, deferred: 0 });
    // Asked once, and never again: the document was as young as it can be.
    expect(net.pds.asked).toHaveLength(1);
  });

  test("issue 15.5: an account that its host refuses is resolved anew, once", async () => {
    const repo = repoOf(1, 200);
    await using net = await network([repo]);
    let aheadMs = 0;
    const kit = testKit({ plcUrl: net.plc.origin, clock: { ...systemClock, now: () => Date.now() + aheadMs } });
    const run = newStoredRun();
    await tick(kit, run, { env: env([repo]), limits: { maxEvents: 60 }, windows: 1 });
    net.pds.unavailable.set(repo.did, "RepoNotFound");
    const lookedUp = net.plc.asked.length;
    aheadMs = 5_000;
    const { events } = await readAll(kit, run, { env: env([repo]) });
    expect(events.at(-1)).toMatchObject({ kind: "account", active: false, status: "not-found" });
    expect(net.plc.asked.length - lookedUp).toBe(1);
  });

  test("issue 15.5: an account whose DID has ended is a status; one that the directory never knew is a dead event", async () => {
    const [ended, never] = [repoOf(1, 3), repoOf(2, 3)];
    await using net = await network([]);
    net.plc.tombstones.add(ended.did);
    const { events, windows } = await readAll(testKit({ plcUrl: net.plc.origin }), newStoredRun(), {
      env: env([ended, never]),
    });
    expect(events).toMatchObject([
      { kind: "account", did: ended.did, active: false, status: "tombstone" },
      { kind: "dead", did: never.did, reason: "no-did-document" },
    ]);
    expect(windows.at(-1)?.progress).toMatchObject({ done: 1, failed: 1 });
  });

  test("issue 15.1: a revision of tomorrow, a wrong signature, a document without a host: dead, with the reason", async () => {
    const tomorrow = makeRepo(manyRecords(3, [POST]), { did: didOf(1), rev: tidOf(Date.now() + 86_400_000) });
    const forged = makeRepo(manyRecords(3, [POST]), { did: didOf(2) });
    const nowhere = makeRepo(manyRecords(3, [POST]), { did: didOf(3) });
    await using net = await network([tomorrow, forged, nowhere]);
    net.plc.put({ ...forged, signer: tomorrow.signer }, net.pds.origin);
    net.plc.put(nowhere, "http://10.0.0.1");
    const all = [tomorrow, forged, nowhere, { ...nowhere, did: didOf(4) }];
    const { events } = await readAll(testKit({ plcUrl: net.plc.origin }), newStoredRun(), { env: env(all) });
    const reasons = Object.fromEntries(
      events.map((event) => [event.did, event.kind === "dead" ? event.reason : event.kind]),
    );
    expect(reasons).toEqual({
      [didOf(1)]: "rev-in-future",
      [didOf(2)]: "bad-signature",
      [didOf(3)]: "forbidden-address",
      [didOf(4)]: "no-did-document",
    });
  });

  test("while the directory is away nothing is given up, and the run says so", async () => {
    const repo = repoOf(1, 5);
    await using net = await network([repo]);
    net.plc.isDown = true;
    const run = newStoredRun();
    const items = memoryItems();
    const { windows } = await tick(testKit({ plcUrl: net.plc.origin, items }), run, { env: env([repo]) });
    expect(windows.at(-1)?.verdict).toMatchObject({ kind: "retry", reason: expect.stringContaining("503") });
    net.plc.isDown = false;
    const { events } = await readAll(testKit({ plcUrl: net.plc.origin, items }), run, { env: env([repo]) });
    expect(contentOf(events, repo.did).keys).toHaveLength(5);
  });

  test("issue 15.5: one slow host holds up nobody", async () => {
    const slow = repoOf(0, 10);
    const others = Array.from({ length: 19 }, (_, index) => repoOf(index + 1, 10));
    const repos = [slow, ...others];
    await using net = await network(others);
    await using stuck = await startFakePds([slow]);
    stuck.intercept = () => true;
    net.plc.put(slow, stuck.origin);
    const run = newStoredRun();
    const kit = testKit({ plcUrl: net.plc.origin });
    const { events, windows } = await tick(kit, run, { env: env(repos), limits: { maxMs: 5_000 }, windows: 1 });
    for (const { did } of others) expect(contentOf(events, did).keys).toHaveLength(10);
    expect(windows[0]?.progress).toMatchObject({ known: 20, done: 19, inWork: 1 });
  });
});

describe("the cheaper way", () => {
  test("issue 15.2: a repository that is wanted whole comes as one archive; a sliver of it is walked", async () => {
    const repo = repoOf(1, 3_000);
    await using net = await network([repo]);
    const kit = testKit({ plcUrl: net.plc.origin });
    await readAll(kit, newStoredRun(), { env: { BACKFILL_DIDS: net.dids } });
    expect(net.pds.callsOf("getRepo")).toHaveLength(1);
    expect(net.pds.asked.length).toBeLessThanOrEqual(5);
    await readAll(kit, newStoredRun(), { env: { BACKFILL_DIDS: net.dids }, limits: { maxEvents: 20 } });
    expect(net.pds.callsOf("getRepo")).toHaveLength(1);
    const before = net.pds.asked.length;
    await readAll(kit, newStoredRun(), {
      env: { BACKFILL_DIDS: net.dids, BACKFILL_COLLECTIONS: "app.bsky.graph.block" },
    });
    expect(net.pds.asked.length - before).toBeLessThanOrEqual(2);
  });
});
