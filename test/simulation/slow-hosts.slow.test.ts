/**
 * More slow hosts than there are places for repositories, and healthy ones behind them in the list, on a virtual clock: the healthy ones do not wait for the
 * slow ones.
 */
import { reposKit } from "@firehose-backfill/repos/source/kit";
import { loopbackNames } from "@firehose-backfill/testing/repos/http-server";
import { simulatedHosts, type SimulatedHosts } from "@firehose-backfill/testing/repos/simulated-hosts";
import { makeRepo, manyRecords } from "@firehose-backfill/testing/repos/test-repo";
import { memoryItems } from "@firehose-backfill/testing/source/memory-items";
import { expect, test } from "vitest";
import { seeded, simulate } from "./simulate.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;
const COLLECTIONS = ["app.bsky.feed.post", "app.bsky.feed.like"];
const HEALTHY = [100, 101, 102, 103];

const nameOf = (host: number): string => `pds-${host}.hosts.net`;
const letters = (n: number): string =>
  String(n)
    .padStart(3, "0")
    .replace(/\d/g, (digit) => "abcdefghij".charAt(Number(digit)));
const didOf = (host: number, index: number): string => `did:plc:${letters(host)}${letters(index)}`.padEnd(32, "z");

interface Its {
  readonly repos: number;
  readonly records: number;
  readonly afterMs: number;
}

function hostOf(host: number, { repos, records, afterMs }: Its) {
  const all = Array.from({ length: repos }, (_, index) =>
    makeRepo(manyRecords(records, COLLECTIONS), { did: didOf(host, index) }),
  );
  return { name: nameOf(host), repos: all, manners: () => ({ kind: "answers", afterMs }) as const };
}

/** Seconds until the healthy hosts were asked for the last time, and until the run was over. */
async function play(slow: number, its: Its): Promise<{ readonly healthy: number; readonly all: number }> {
  const network = [
    ...Array.from({ length: slow }, (_, host) => hostOf(host, its)),
    ...HEALTHY.map((host) => hostOf(host, { repos: 50, records: 20, afterMs: 50 })),
  ];
  let hosts: SimulatedHosts | null = null;
  const simulation = await simulate({
    settings: {
      BACKFILL_DIDS: network.flatMap(({ repos }) => repos.map(({ did }) => did)).join(","),
      BACKFILL_PROFILE: "fast",
    },
    stream: { commits: 1 },
    kits: (clock) => {
      const { send } = (hosts = simulatedHosts(clock, network));
      const rest = { userAgent: "test/1", resolveName: loopbackNames, plcUrl: "https://plc.directory", hostRate: 2 };
      return { repos: reposKit({ ...rest, clock, items: memoryItems(), send, random: seeded(15) }) };
    },
  });
  if (hosts === null) throw new Error("the simulation has made no source");
  const { askedAtMs }: SimulatedHosts = hosts;
  await simulation.begin("repos");
  const run = () => simulation.run("repos");
  while ((await run()).finishedAtMs === null && simulation.clock.now() - simulation.startMs < 3 * HOUR)
    await simulation.pass(10 * SECOND);
  const { status, totals } = await run();
  expect(status).toBe("succeeded");
  // In such a crowd, a repository of a slow host may be given up as too slow.
  expect(totals.dead).toBeLessThan(network.flatMap(({ repos }) => repos).length / 100);
  const lastMs = Math.max(...HEALTHY.flatMap((host) => askedAtMs.get(nameOf(host)) ?? []));
  const endMs = (await run()).finishedAtMs ?? 0;
  await simulation.stop();
  const secondsAt = (ms: number): number => (ms - simulation.startMs) / SECOND;
  return { healthy: secondsAt(lastMs), all: secondsAt(endMs) };
}

// Before, 3.2 and 1.8 times as long as alone.
test.each<[string, Its, number]>([
  ["small repositories", { repos: 20, records: 20, afterMs: 12 * SECOND }, 2.2],
  ["large repositories", { repos: 1, records: 3_000, afterMs: 6 * SECOND }, 1.5],
])(
  "issue 15.5: 24 slow hosts with %s do not take all places: healthy hosts take little longer than alone",
  async (_name, its, most) => {
    const alone = await play(0, its);
    const beside = await play(24, its);
    expect(beside.healthy / alone.healthy).toBeLessThan(most);
    // Small ones took 2,220 s before.
    expect(beside.all).toBeLessThan(1_900);
  },
  240_000,
);
