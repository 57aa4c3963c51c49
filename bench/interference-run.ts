/**
 * One profile beside a production load: the run goes on all the time, and it and its stand-ins are frozen in every slot of kind A.
 * The database records what the run did in each slot. It must be nothing in any A slot and something in most B slots (a run that
 * backs off may skip one), or the benchmark fails.
 */
import { loadavg, setPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProfileName } from "@firehose-backfill/core/config/settings";
import { type Program, startProgram, temporaryFolder } from "../test/support/program.ts";
import { openTestDatabase } from "../test/support/query.ts";
import { type AppliedLog, recordApplied } from "./applied-log.ts";
import { startCreatesRelay } from "./creates.ts";
import { type Felt, feltOf } from "./felt.ts";
import { median } from "./lanes.ts";
import { type MedianInterval, medianInterval } from "./median-interval.ts";
import { type Foreground, type ForegroundSlot, type Production } from "./pgbench.ts";
import { freezeTree } from "./process-tree.ts";
import type { Processors } from "./processors.ts";
import type { ScratchPostgres } from "./scratch-postgres.ts";
import { prepareVariant, VARIANTS, type Variant, type VariantName } from "./variants.ts";

/** `unthrottled`: the fast profile without its delay. */
export type Pace = ProfileName | "unthrottled";

export interface InterferenceOptions {
  readonly pace: Pace;
  readonly postgres: ScratchPostgres;
  readonly production: Production;
  readonly processors: Processors;
  /** Half of the server's capacity. */
  readonly rates: Readonly<Record<Foreground, number>>;
  readonly pairs: number;
  readonly seconds: number;
  /** Of the program and its stand-ins, as with `nice -n 19 npm start`; its Postgres is the production server and keeps its priority. */
  readonly niceness: number;
  readonly variant: VariantName;
  readonly foregrounds: readonly Foreground[];
}

export interface InterferenceFigures {
  readonly pace: Pace;
  readonly variant: VariantName;
  readonly foreground: Foreground;
  /** Events that were applied; median of the B slots. */
  readonly eventsPerSecond: number;
  /** The value with the run divided by the value without it, for each pair. */
  readonly ratios: Readonly<Record<keyof ForegroundSlot, MedianInterval>>;
  /** Within the slots with the run: see felt.ts. */
  readonly felt: Readonly<Record<keyof Felt, MedianInterval>>;
  /** Medians. */
  readonly without: ForegroundSlot;
  readonly with: ForegroundSlot;
  /** B slots in which no batch was due because the run had backed off: it gives way to production. */
  readonly idleSlots: number;
  readonly load: number;
}

/** Enough events for the whole benchmark. */
const EVENTS: Readonly<Record<Pace, number>> = {
  background: 10_000,
  moderate: 80_000,
  fast: 400_000,
  unthrottled: 2_500_000,
};
/**
 * After a freeze, batches of a paced run are late and take new slots. The wait is before every slot, whatever its kind: the server writes
 * to disk for a while what the slot before has left, and that must not fall into the slots of one kind more often than into the others.
 */
const NEW_SLOTS_MS = 2_500;
const FREEZE_ATTEMPTS = 500;

export async function runInterference(options: InterferenceOptions): Promise<readonly InterferenceFigures[]> {
  const { pace, postgres, processors } = options;
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const log = stack.use(await recordApplied(postgres.databaseUrl, "statements"));
  const variant: Variant = VARIANTS[options.variant];
  await prepareVariant(variant, postgres.databaseUrl);
  const relay = stack.use(await startCreatesRelay(EVENTS[pace]));
  const program = startProgram(["start", "--from", "oldest"], {
    BACKFILL_DATA_DIR: folder.path,
    BACKFILL_PROFILE: pace === "unthrottled" ? "fast" : pace,
    ...(pace === "unthrottled" ? { BACKFILL_BATCH_DELAY_MS: "0" } : {}),
    ...variant.settings,
    DATABASE_URL: postgres.databaseUrl,
    RELAY_URL: relay.url,
  });
  // Before it starts its stand-ins, which inherit both.
  processors.pinRun(program.pid);
  setPriority(program.pid, options.niceness);
  const run = stack.use(await freezable(program, postgres.databaseUrl));
  while ((await log.eventsIn(0, Date.now())) === 0) await sleep(500);
  await sleep(NEW_SLOTS_MS);
  const figures = [];
  for (const foreground of options.foregrounds) {
    figures.push(await measure(run, log, foreground, options));
    console.error(JSON.stringify(figures.at(-1)));
  }
  return figures;
}

interface Slot extends ForegroundSlot {
  readonly eventsPerSecond: number;
}

async function measure(
  run: Freezable,
  log: AppliedLog,
  foreground: Foreground,
  { pace, variant, production, rates, pairs, seconds }: InterferenceOptions,
): Promise<InterferenceFigures> {
  const load = Number(loadavg()[0]?.toFixed(1));
  const felts: Felt[] = [];
  const take = async (isBeside: boolean, seed: number): Promise<Slot> => {
    await run.set(isBeside ? "running" : "frozen");
    const fromMs = Date.now();
    const options = { seconds, ratePerSecond: rates[foreground], seed };
    const { figures, transactions } = await production.slot(foreground, options);
    const untilMs = Date.now();
    const eventsPerSecond = ((await log.eventsIn(fromMs, untilMs)) * 1_000) / (untilMs - fromMs);
    if (eventsPerSecond > 0 && !isBeside) throw new Error(`${pace}: ${eventsPerSecond} events/s while it was frozen`);
    if (isBeside) {
      const batches = (await log.batches()).filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
      if (batches.length > 0) felts.push(feltOf(transactions, batches));
    }
    return { ...figures, eventsPerSecond };
  };
  const without: Slot[] = [];
  const beside: Slot[] = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    // A B, then B A, so that a slow drift affects both equally.
    const order = pair % 2 === 1 ? [false, true] : [true, false];
    for (const isBeside of order) (isBeside ? beside : without).push(await take(isBeside, pair));
  }
  const idleSlots = beside.filter((slot) => slot.eventsPerSecond === 0).length;
  if (idleSlots * 2 > pairs) throw new Error(`${pace}: nothing was applied in ${idleSlots} of ${pairs} slots`);
  const of = <Figure>(figure: (name: keyof ForegroundSlot) => Figure): Record<keyof ForegroundSlot, Figure> => ({
    transactionsPerSecond: figure("transactionsPerSecond"),
    p50Ms: figure("p50Ms"),
    p95Ms: figure("p95Ms"),
    p99Ms: figure("p99Ms"),
  });
  const medians = (slots: readonly Slot[]): ForegroundSlot =>
    of((name) => Number(median(slots.map((slot) => slot[name])).toFixed(3)));
  return {
    pace,
    variant,
    foreground,
    eventsPerSecond: Number(median(beside.map((slot) => slot.eventsPerSecond)).toFixed(1)),
    ratios: of((name) => medianInterval(beside.map((slot, pair) => slot[name] / (without[pair]?.[name] ?? NaN)))),
    felt: {
      share: medianInterval(felts.map(({ share }) => share)),
      p95: medianInterval(felts.map(({ p95 }) => p95)),
      p95ByChance: medianInterval(felts.map(({ p95ByChance }) => p95ByChance)),
      touchedP95: medianInterval(felts.map(({ touchedP95 }) => touchedP95)),
      touchedP95ByChance: medianInterval(felts.map(({ touchedP95ByChance }) => touchedP95ByChance)),
    },
    without: medians(without),
    with: medians(beside),
    idleSlots,
    load,
  };
}

interface Freezable extends AsyncDisposable {
  /** Resolves when the state is reached and the effects of the change itself are over. */
  set(state: "running" | "frozen"): Promise<void>;
}

/** A run that is frozen with SIGSTOP keeps its plan and continues at its pace; a pause would begin a new generation. */
async function freezable(program: Program, databaseUrl: string): Promise<Freezable> {
  const url = new URL(databaseUrl);
  url.searchParams.set("application_name", "bench");
  const database = await openTestDatabase(url.href);
  let thaw: (() => void) | null = null;
  // A stopped process does not notice that its parent is gone, nor a signal, so it would stay for ever.
  const leaveNothing = (): void => {
    thaw?.();
    program.child.kill("SIGKILL");
  };
  process.once("exit", leaveNothing);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

  /** Waits until it has no open transaction: the server would end such a connection during a long freeze. */
  const freeze = async (): Promise<() => void> => {
    for (let attempt = 1; ; attempt += 1) {
      const goOn = freezeTree(program.pid);
      await sleep(20);
      const [open] = await database.query(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'firehose-backfill' AND xact_start IS NOT NULL",
        [],
      );
      if (Number(open?.["n"]) === 0) return goOn;
      goOn();
      if (attempt === FREEZE_ATTEMPTS) throw new Error("always within a transaction");
      await sleep(Math.random() * 20);
    }
  };

  return {
    async set(state) {
      if (state === "frozen") thaw ??= await freeze();
      else {
        thaw?.();
        thaw = null;
      }
      await sleep(NEW_SLOTS_MS);
    },
    async [Symbol.asyncDispose]() {
      thaw?.();
      program.child.kill("SIGTERM");
      await program.exited;
      process.off("exit", leaveNothing);
      await database[Symbol.asyncDispose]();
    },
  };
}
