/**
 * A run that is killed again and again, on one data folder, until its kills are used up; then it may end, and is judged:
 * every row as the oracle has it, every counter exact. In between a witness looks whether the applied cursor tells the truth.
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { compareTables } from "../support/compare.ts";
import { type Expected, expectedTables } from "../support/oracle.ts";
import { openTestDatabase } from "../support/query.ts";
import { pdsFrames } from "../support/recordings.ts";
import type { CrashTask } from "./crash-program.ts";
import { appears, beginLife, type Life, sleep } from "./life.ts";
import type { LifePlan, Target } from "./plan.ts";
import { strike } from "./strike.ts";
import { createWitness, testimonyOf, type Witness } from "./witness.ts";

export interface CampaignOptions {
  /** Empty; the program's data folder and the markers go into it. */
  readonly folder: string;
  readonly plans: Iterable<LifePlan>;
  /** After so many the run is left alone. */
  readonly kills: number;
  /** Of the recording. The run must not be over before its kills are. */
  readonly copies: number;
  readonly seed: string;
  readonly random: () => number;
  readonly settings: Readonly<Record<string, string>>;
  /** Given: events go there, through `databaseUrl`; left out: into the program's own Postgres. */
  readonly database?: { readonly databaseUrl: string; readonly directUrl: string };
  readonly onKill?: (kill: string, count: number) => void;
  /** Told of each life as it begins. */
  readonly onLife?: (life: Life) => void;
}

export interface CampaignResult {
  /** By crash point or target. */
  readonly kills: Readonly<Record<string, number>>;
  readonly events: number;
  /** How often the applied cursor was compared with the tables. */
  readonly observations: number;
  readonly seconds: number;
  readonly final: Snapshot;
  /** In words; none: nothing is lost, nothing is double. */
  readonly differences: readonly string[];
}

const START = { from: "oldest", isNew: false, isDryRun: false } as const;
const PAGE_WITHIN_MS = 60_000;
const POINT_WITHIN_MS = 30_000;
/** Generous: on a busy machine latency raises the back-off, and a paced run ends in its own time. */
const END_WITHIN_MS = 900_000;
const OBSERVE_EVERY_MS = 1_000;
/** The program ends when one of them is gone. */
const STAND_INS: ReadonlySet<Target> = new Set(["queue", "table", "postgres", "guardian"]);

/** @throws Error for a kill that had no effect, a cursor that vouched for what is not there, a run that does not end */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const startedAt = performance.now();
  const log = resealedLog({
    frames: pdsFrames(),
    copies: options.copies,
    seed: options.seed,
    firstTimeMs: Date.now() - 86_400_000,
  });
  const frames = [...log.after(0)].map(({ frame }) => frame);
  const expected = await expectedTables(frames);
  const dataDir = `${options.folder}/data`;
  const witness = createWitness(dataDir, await testimonyOf(frames), options.database?.directUrl);
  await using relay = await startReplayRelay({ frames: log });
  await mkdir(`${options.folder}/markers`, { recursive: true });

  const env = {
    ...options.settings,
    RELAY_URL: relay.url,
    BACKFILL_DATA_DIR: dataDir,
    PORT: "0",
    ...(options.database === undefined ? {} : { DATABASE_URL: options.database.databaseUrl }),
  };
  const kills: Record<string, number> = {};
  let count = 0;
  const killed = (name: string) => {
    kills[name] = (kills[name] ?? 0) + 1;
    count += 1;
    options.onKill?.(name, count);
  };
  let start: CrashTask["start"] = { ...START, to: String(log.headSeq) };

  for (const plan of options.plans) {
    if (count >= options.kills) break;
    const { end } = plan;
    // The first one has to get so far that there is a run to go on with.
    if (start !== null && end.kind === "strikes" && end.strikes.some(({ target }) => target === "starting")) continue;
    const marker = `${options.folder}/markers/${count}`;
    const crash = end.kind === "point" ? { point: end.point, nth: end.nth, marker } : null;
    await using life = await beginLife({ env, start, consumers: plan.consumers, crash });
    options.onLife?.(life);
    if (end.kind === "point") {
      if (await diesAtPoint(life, marker, witness)) killed(end.point);
    } else {
      for (const { target, afterMs } of end.strikes) {
        if (target !== "starting" && !(await life.said("Status page", PAGE_WITHIN_MS))) break;
        if (target !== "starting") await witness.look(life);
        await sleep(afterMs);
        if (life.isOver()) break;
        await strike(life, target, { dataDir, draw: options.random() });
        killed(target);
      }
    }
    if (life.failed() !== null && !losesStandIn(end))
      throw new Error(`the program failed: ${life.failed()}\n${life.log()}`);
    if (life.log().includes("Status page")) start = null;
    if (life.ended()?.exit === "done") return await judge(life);
  }
  await using life = await beginLife({ env, start, consumers: "in-process", crash: null });
  options.onLife?.(life);
  const deadline = performance.now() + END_WITHIN_MS;
  while (!life.isOver()) {
    if (performance.now() > deadline) throw new Error(`the run does not end:\n${life.log()}`);
    await witness.look(life);
    await Promise.race([life.exited, sleep(OBSERVE_EVERY_MS)]);
  }
  return await judge(life);

  async function judge(last: Life): Promise<CampaignResult> {
    await last.exited;
    const final = last.ended()?.snapshot ?? null;
    if (final?.status !== "succeeded") throw new Error(`the run did not succeed: ${last.failed()}\n${last.log()}`);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    // The program took its Postgres with it.
    const { directUrl } = options.database ?? {};
    await using postgres = directUrl === undefined ? await startPostgres({ dataDir: `${dataDir}/postgres` }) : null;
    await using database = await openTestDatabase(directUrl ?? postgres?.databaseUrl ?? "");
    const differences = [...(await compareTables(database.query, expected)), ...wrongCounters(final, expected)];
    return { kills, events: expected.events, observations: witness.observations(), seconds, final, differences };
  }
}

/** False: it ended before it came to its point. */
async function diesAtPoint(life: Life, marker: string, witness: Witness): Promise<boolean> {
  // Its stand-ins take their time on a busy machine, and that is not the point's. False: it died before it said so.
  await life.said("Status page", PAGE_WITHIN_MS);
  const deadline = performance.now() + POINT_WITHIN_MS;
  while (!life.isOver() && performance.now() < deadline) {
    await witness.look(life);
    if (await appears(marker, OBSERVE_EVERY_MS)) break;
  }
  if (!life.isOver() && !existsSync(marker)) life.kill();
  const code = await life.exited;
  if (!existsSync(marker)) return false;
  if (code !== null) throw new Error(`it reached its point and ended with ${code}:\n${life.log()}`);
  return true;
}

function losesStandIn(end: LifePlan["end"]): boolean {
  return end.kind === "strikes" && end.strikes.some(({ target }) => STAND_INS.has(target));
}

function wrongCounters(final: Snapshot, expected: Expected): string[] {
  const skipped = Object.values(final.skipped).reduce((sum, n) => sum + n, 0);
  const told = { received: final.received, processed: final.processed, dead: final.dead, skipped };
  const dead = expected.dead.length;
  const right = { received: expected.events, processed: expected.events - dead, dead, skipped: 0 };
  return isDeepStrictEqual(told, right)
    ? []
    : [`counters: ${JSON.stringify(told)} instead of ${JSON.stringify(right)}`];
}
