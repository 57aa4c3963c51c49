/**
 * A thousand repositories on twenty hosts, on a virtual clock: no host is asked more often than it may be, and the whole takes as long as the pace wants, whatever
 * the worst of the hosts do.
 */
import { reposKit } from "@firehose-backfill/repos/source/kit";
import type { SourceKit } from "@firehose-backfill/source/kit";
import { loopbackNames } from "@firehose-backfill/testing/repos/http-server";
import { type Manners, simulatedHosts, type SimulatedHosts } from "@firehose-backfill/testing/repos/simulated-hosts";
import { makeRepo, manyRecords, type TestRepo } from "@firehose-backfill/testing/repos/test-repo";
import { memoryItems } from "@firehose-backfill/testing/source/memory-items";
import { expect, test } from "vitest";
import { seeded, simulate, type Simulation } from "./simulate.ts";

const HOSTS = 20;
const REPOS_A_HOST = 50;
const RECORDS_A_REPO = 20;
const HOST_RATE = 2;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** The background profile. */
const EVENTS_A_SECOND = 2.5;
const [SLOW, DEAD, BUSY] = [3, 9, 15];

const nameOf = (host: number): string => `pds-${host}.hosts.net`;
const didOf = (host: number, index: number): string =>
  `did:plc:${[host, index]
    .map((n) =>
      String(n)
        .padStart(3, "0")
        .replace(/\d/g, (digit) => "abcdefghij".charAt(Number(digit))),
    )
    .join("")}`.padEnd(32, "z");

const repos: readonly (readonly TestRepo[])[] = Array.from({ length: HOSTS }, (_, host) =>
  Array.from({ length: REPOS_A_HOST }, (_unused, index) =>
    makeRepo(manyRecords(RECORDS_A_REPO, ["app.bsky.feed.post", "app.bsky.feed.like"]), { did: didOf(host, index) }),
  ),
);

const mannersOf = (slowMs: number): Readonly<Record<number, (count: number) => Manners>> => ({
  [SLOW]: () => ({ kind: "answers", afterMs: slowMs }),
  [DEAD]: () => ({ kind: "silent" }),
  // Every tenth request, as a host does that counts more strictly than it says.
  [BUSY]: (count) => ({ kind: count % 10 === 0 ? "refuses" : "answers", afterMs: 50 }),
});

/** In the order of the hosts, which is the worst one: fifty in a row wait for the same host. Or mixed. */
function didsIn(order: string): string {
  const dids = repos.flat().map(({ did }) => did);
  const random = seeded(20);
  return (
    order === "mixed"
      ? dids
          .map((did) => [random(), did] as const)
          .sort(([a], [b]) => a - b)
          .map(([, did]) => did)
      : dids
  ).join(",");
}

interface Played {
  readonly simulation: Simulation;
  readonly hosts: SimulatedHosts;
}

interface Case {
  readonly order: string;
  readonly slowMs: number;
  /** Each tick is another process, which knows what the table says. */
  readonly isAlwaysNew: boolean;
}

async function play({ order, slowMs, isAlwaysNew }: Case): Promise<Played> {
  const items = memoryItems();
  const manners = mannersOf(slowMs);
  let hosts: SimulatedHosts | null = null;
  const simulation = await simulate({
    settings: { BACKFILL_DIDS: didsIn(order), BACKFILL_HOST_RATE: String(HOST_RATE) },
    // The first run is over at once.
    stream: { commits: 1 },
    kits: (clock) => {
      const network = repos.map((own, host) => ({ name: nameOf(host), repos: own, manners: manners[host] }));
      const { send } = (hosts = simulatedHosts(clock, network));
      const newKit = (): SourceKit =>
        reposKit({
          clock,
          items,
          send,
          random: seeded(15),
          userAgent: "test/1",
          resolveName: loopbackNames,
          plcUrl: "https://plc.directory",
          hostRate: HOST_RATE,
        });
      const kept = newKit();
      return { repos: { ...kept, open: (run) => (isAlwaysNew ? newKit() : kept).open(run) } };
    },
  });
  if (hosts === null) throw new Error("the simulation has made no source");
  return { simulation, hosts };
}

/** In any second. */
function mostInASecond(atMs: readonly number[]): number {
  return Math.max(...atMs.map((fromMs) => atMs.filter((ms) => ms >= fromMs && ms < fromMs + SECOND).length));
}

/** When so many events were applied. */
function appliedAtMs({ database }: Simulation, events: number): number {
  let sum = 0;
  for (const batch of database.applied.toSorted((a, b) => a.atMs - b.atMs)) {
    sum += batch.events;
    if (sum >= events) return batch.atMs;
  }
  throw new Error(`only ${sum} of ${events} events were applied`);
}

const OF_A_HOST = REPOS_A_HOST * RECORDS_A_REPO;
/** Of each repository of the dead host, a dead event. */
const EVENTS = (HOSTS - 1) * OF_A_HOST + REPOS_A_HOST;
/** Before, between and after its two collections: each takes the place of an event in the pace (decision 21). */
const EMPTY_RANGES_A_REPO = 3;

/** What the pace allows for so many hosts, and for the dead one. */
function paceMs(hosts: number): number {
  const places = hosts * REPOS_A_HOST * (RECORDS_A_REPO + EMPTY_RANGES_A_REPO) + REPOS_A_HOST;
  return (places / EVENTS_A_SECOND) * SECOND;
}

test.each<Case>([
  { order: "by host", slowMs: 3 * SECOND, isAlwaysNew: false },
  { order: "mixed", slowMs: 12 * SECOND, isAlwaysNew: false },
  { order: "by host", slowMs: 12 * SECOND, isAlwaysNew: true },
])(
  "issue 15 bar: 1,000 repositories on 20 hosts, one slow, one dead, one refusing: no host above its rate, total time bound by the pace (%o)",
  async (given) => {
    const { simulation, hosts } = await play(given);
    await simulation.begin("repos");
    const run = () => simulation.run("repos");
    while ((await run()).finishedAtMs === null && simulation.clock.now() - simulation.startMs < 2 * paceMs(HOSTS))
      await simulation.pass(MINUTE);
    expect(await run()).toMatchObject({
      status: "succeeded",
      totals: {
        received: EVENTS,
        processed: EVENTS - REPOS_A_HOST,
        dead: REPOS_A_HOST,
        deadReasons: { "host-dead": REPOS_A_HOST },
      },
    });
    for (const atMs of hosts.askedAtMs.values()) expect(mostInASecond(atMs)).toBeLessThanOrEqual(HOST_RATE);
    expect(hosts.mostAtOnce()).toBe(1);
    // Ten times it is asked, whatever number of repositories it has, and a few times stopped before its time was over.
    expect(hosts.askedAtMs.get(nameOf(DEAD))?.length).toBeLessThan(15);
    // All but the slow host's are there as fast as the pace allows it.
    const othersMs = appliedAtMs(simulation, (HOSTS - 2) * OF_A_HOST) - simulation.startMs;
    expect(othersMs / paceMs(HOSTS - 2)).toBeLessThan(1.02);
    // The slow host's own time comes on top at most: two requests a repository.
    const tookMs = ((await run()).finishedAtMs ?? 0) - simulation.startMs;
    expect(tookMs).toBeLessThan(1.02 * paceMs(HOSTS - 1) + 2 * REPOS_A_HOST * given.slowMs);
    // Three seconds for each request do not even show.
    const most = given.slowMs <= 3 * SECOND ? 1.02 : 1.2;
    expect(tookMs / paceMs(HOSTS - 1)).toBeLessThan(most);
    await simulation.stop();
  },
  120_000,
);
