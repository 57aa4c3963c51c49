/** What is done to each life of a campaign: drawn from a seed, so that a campaign that fails can be had again. */
import { CRASH_POINTS, type CrashPointName } from "@firehose-backfill/backfill/deps";

/** Whom SIGKILL goes to. `starting`: the program before its page is up; `guardian`: the process between it and Postgres. */
export type Target =
  | "program"
  | "starting"
  | "queue"
  | "table"
  | "postgres"
  | "guardian"
  /** One of `--consumers process`; the program goes on. */
  | "consumer"
  /** One connection's server process: Postgres itself begins anew, all connections break; the program goes on. */
  | "backend";

export interface Strike {
  readonly target: Target;
  /** After the strike before it, or after the page is up. */
  readonly afterMs: number;
}

export interface LifePlan {
  readonly consumers: "in-process" | "process";
  /** Dies there; or the strikes hit it one after the other. */
  readonly end:
    | { readonly kind: "point"; readonly point: CrashPointName; readonly nth: number }
    | { readonly kind: "strikes"; readonly strikes: readonly Strike[] };
}

const LONGEST_WAIT_MS = 1_500;
/** Windows are few beside batches: their points are passed rarely. */
const RARE: ReadonlySet<CrashPointName> = new Set([
  "mid-advance",
  "after-advance",
  "after-reserve",
  "after-send",
  "before-cursor",
  "after-cursor",
]);
const MOST_PASSINGS = { rare: 4, often: 40 };

/** Endless. `points` go round, so that every one of them has its turn. */
export function* drawPlans(random: () => number): Generator<LifePlan> {
  const waitMs = () => Math.floor(random() * LONGEST_WAIT_MS);
  const strikes = (...targets: readonly Target[]): LifePlan => ({
    consumers: targets.includes("consumer") ? "process" : "in-process",
    end: { kind: "strikes", strikes: targets.map((target) => ({ target, afterMs: waitMs() })) },
  });
  for (let turn = 0; ; turn += 1) {
    const point = CRASH_POINTS[turn % CRASH_POINTS.length] ?? "after-commit";
    yield {
      consumers: "in-process",
      end: { kind: "point", point, nth: 1 + Math.floor(random() * MOST_PASSINGS[RARE.has(point) ? "rare" : "often"]) },
    };
    const draw = random();
    if (draw < 0.3) yield strikes("program");
    else if (draw < 0.4) yield strikes("starting");
    else if (draw < 0.52) yield strikes("queue");
    else if (draw < 0.64) yield strikes("table");
    else if (draw < 0.76) yield strikes("postgres");
    else if (draw < 0.8) yield strikes("guardian");
    else if (draw < 0.97) yield strikes("consumer", "consumer", "program");
    else yield strikes("backend", "program");
  }
}
