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
import { describe, expect, test } from "vitest";
import { seeded, simulate, type Simulation } from "./simulate.ts";

const HOSTS = 20;
const REPOS_A_HOST = 50;
const RECORDS_A_REPO = 20;
const HOST_RATE = 2;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
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

const MANNERS: Readonly<Record<number, (count: number, nowMs: number) => Manners>> = {
  [SLOW]: () => ({ kind: "answers", afterMs: 12 * SECOND }),
  [DEAD]: () => ({ kind: "silent" }),
  // Every tenth request, as a host does that counts more strictly than it says.
  [BUSY]: (count) => ({ kind: count % 10 === 0 ? "refuses" : "answers", afterMs: 50 }),
};

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

/** `everyTickAnew`: each tick is another process, which knows what the table says. */
async function play(settings: Readonly<Record<string, string>>, everyTickAnew: boolean): Promise<Played> {
  const items = memoryItems();
  let hosts: SimulatedHosts | null = null;
  const simulation = await simulate({
    settings: { ...settings, BACKFILL_HOST_RATE: String(HOST_RATE) },
    stream: { commits: 1 },
    kits: (clock) => {
      const simulated = (hosts = simulatedHosts(
        clock,
        repos.map((own, host) => {
          const manners = MANNERS[host];
          return { name: nameOf(host), repos: own, ...(manners === undefined ? {} : { manners }) };
        }),
      ));
      const newKit = (): SourceKit =>
        reposKit({
          clock,
          items,
          random: seeded(15),
          userAgent: "test/1",
          resolveName: loopbackNames,
          plcUrl: "https://plc.directory",
          hostRate: HOST_RATE,
          send: simulated.send,
        });
      const kept = newKit();
      return { repos: { survey: kept.survey, open: (run) => (everyTickAnew ? newKit() : kept).open(run) } };
    },
  });
  if (hosts === null) throw new Error("the simulation has made no source");
  return { simulation, hosts };
}

/** Most requests in any second that begins with one. */
function mostInASecond(atMs: readonly number[]): number {
  return Math.max(
    0,
    ...atMs
      .map((fromMs, index) => atMs.slice(index).findIndex((ms) => ms >= fromMs + SECOND))
      .map((n, index) => (n === -1 ? atMs.length - index : n)),
  );
}

describe.each([
  { order: "by host", process: "one process", everyTickAnew: false },
  { order: "mixed", process: "one process", everyTickAnew: false },
  { order: "by host", process: "a new process each tick", everyTickAnew: true },
])("1,000 repositories on 20 hosts, $order, $process", ({ order, everyTickAnew }) => {
  test("issue 15 bar: no host above its rate; total time bound by the pace, not by the slowest host", async () => {
    const { simulation, hosts } = await play({ BACKFILL_DIDS: didsIn(order) }, everyTickAnew);
    await simulation.begin("repos");
    const events = (HOSTS - 1) * REPOS_A_HOST * RECORDS_A_REPO + REPOS_A_HOST;
    const atPaceMs = (events / 2.5) * SECOND;
    for (let minutes = 0; minutes * MINUTE < 3 * atPaceMs; minutes++) {
      await simulation.pass(MINUTE);
      if ((await simulation.run("repos")).status === "succeeded") break;
    }
    const run = await simulation.run("repos");
    const took = (run.finishedAtMs ?? 0) - run.createdAtMs;
    console.error(
      order,
      everyTickAnew,
      run.status,
      took / atPaceMs,
      [...hosts.askedAtMs.values()].map((a) => a.length).join(" "),
      JSON.stringify(run.totals),
      JSON.stringify(run.progress ?? null),
    );
    for (const [, atMs] of hosts.askedAtMs) expect(mostInASecond(atMs)).toBeLessThanOrEqual(HOST_RATE);
    expect(hosts.mostAtOnce()).toBe(1);
    expect(run).toMatchObject({ status: "succeeded" });
    expect(took / atPaceMs).toBeLessThan(1.05);
    await simulation.stop();
  }, 120_000);
});
